package chat

import (
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
)

// What clients send. The answer to a request that is refused is
// {error: {code, message}} with one of the codes below.
const (
	// Join enters a room and leaves the one before. It is also how a client
	// takes its seat again after a reconnection.
	Join event.Request[JoinRequest, Joined] = "join"
	// Leave leaves the room; without one it does nothing.
	Leave event.Request[event.None, event.None] = "leave"
	// Say sends a text to the room.
	Say event.Request[Text, Receipt] = "say"
	// Send sends a picture or another file to the room.
	Send event.Request[Upload, Receipt] = "file"
	// Fetch asks for the content of a file of the history.
	Fetch event.Request[FetchRequest, Content] = "fetch"
	// Typing tells the others of the room that one writes, or has stopped.
	Typing event.Message[bool] = "typing"
)

// What the server sends.
const (
	// Posted is a message of somebody else in the room; a file comes with its
	// content.
	Posted event.Message[Post] = "message"
	// Entered and Left tell who came and who went.
	Entered event.Message[Change] = "joined"
	Left    event.Message[Change] = "left"
	// Types tells that somebody writes. It may be lost.
	Types event.Message[TypingNotice] = "typing"
	// Rooms is the list of rooms, sent to everyone a moment after it changed.
	Rooms event.Message[[]RoomInfo] = "rooms"
	// Replaced tells a client that another one shows its key and has its seat
	// now; it is disconnected and should not come back by itself.
	Replaced event.Message[event.None] = "replaced"
)

// Codes of refusals.
const (
	CodeBadName   = "bad_name"
	CodeNameTaken = "name_taken"
	CodeBadRoom   = "bad_room"
	CodeFull      = "too_many_rooms"
	CodeNoRoom    = "not_in_room"
	CodeBadID     = "bad_id"
	CodeBadText   = "bad_text"
	CodeBadFile   = "bad_file"
	CodeTooLarge  = "too_large"
	CodeGone      = "gone"
)

// JoinRequest is the argument of Join. Key is a secret that the client keeps for
// as long as it wants to be the same person; with "" it is a new one each time.
type JoinRequest struct {
	Room string `json:"room"`
	Name string `json:"name"`
	Key  string `json:"key,omitempty"`
}

// Joined is the answer to Join. Files of the history come without content.
type Joined struct {
	Room    string     `json:"room"`
	You     Person     `json:"you"`
	People  []Person   `json:"people"`
	History []Post     `json:"history"`
	Rooms   []RoomInfo `json:"rooms"`
	MaxFile int        `json:"maxFile"`
}

// Person is somebody in a room. ID is the same for the same key; it is no secret.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Text is the argument of Say; ID is chosen by the client.
type Text struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Upload is the argument of Send; ID is chosen by the client.
type Upload struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Data []byte `json:"data"`
}

// Receipt says that a message has its place in the room: At is the time in
// milliseconds since 1970, Seq grows with each message of the room.
type Receipt struct {
	ID  string `json:"id"`
	At  int64  `json:"at"`
	Seq int64  `json:"seq"`
}

// Post is a message: a text, or a file.
type Post struct {
	Receipt
	Room string `json:"room"`
	From Person `json:"from"`
	Text string `json:"text,omitempty"`
	File *File  `json:"file,omitempty"`
}

// File is a file within a Post. Data is absent in a history.
type File struct {
	Name string         `json:"name"`
	Type string         `json:"type"`
	Size int            `json:"size"`
	Data socketio.Owned `json:"data,omitempty"`
}

// FetchRequest is the argument of Fetch: the id of a message of the room, and
// of the person that it came from.
type FetchRequest struct {
	From string `json:"from"`
	ID   string `json:"id"`
}

// Content is the answer to Fetch.
type Content struct {
	Data socketio.Owned `json:"data"`
}

// Change tells who came or went, and who is there now.
type Change struct {
	Room   string   `json:"room"`
	Person Person   `json:"person"`
	People []Person `json:"people"`
}

// TypingNotice is the argument of Types.
type TypingNotice struct {
	Room   string `json:"room"`
	Person Person `json:"person"`
	On     bool   `json:"on"`
}

// RoomInfo is a room with the number of people in it.
type RoomInfo struct {
	Name   string `json:"name"`
	People int    `json:"people"`
}
