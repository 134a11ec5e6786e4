package chat

import "github.com/hermod-io/hermod/socketio/event"

// What a client asks for.
const (
	Join event.Request[JoinRequest, JoinReply] = "join" // also changes room
	Say  event.Request[Text, Receipt]          = "say"
	Send event.Request[File, Receipt]          = "file"
	Type event.Message[bool]                   = "typing"
)

// What a client is told.
const (
	Posted event.Message[Message] = "message"
	People event.Message[[]string] = "people" // all names in the room, sorted
	Typing event.Message[Typist]  = "typing"
)

// JoinRequest asks to be in a room under a name.
type JoinRequest struct {
	Room string `json:"room"`
	Name string `json:"name"`
}

// JoinReply is what somebody finds who comes in.
type JoinReply struct {
	Room    string    `json:"room"`
	Name    string    `json:"name"`
	People  []string  `json:"people"`
	History []Message `json:"history"`
}

// Text is something said. ID is made by the client: said twice it counts once.
type Text struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// File is a picture or another file.
type File struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Data []byte `json:"data"`
}

// Receipt tells that a message is in the history.
type Receipt struct {
	ID string `json:"id"`
	At int64  `json:"at"` // Unix ms
}

// Message is a message as all get it. Either Text or File is set.
type Message struct {
	ID   string `json:"id"`
	From string `json:"from"`
	At   int64  `json:"at"` // Unix ms
	Text string `json:"text,omitzero"`
	File *File  `json:"file,omitzero"`
}

// Typist is somebody who began or stopped to type.
type Typist struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
}
