package main

import "encoding/json"

// The events from the server, beside "hello".
const (
	evHello  = "hello"  // first of a stay; N is the next number of evUni
	evUni    = "uni"    // to one client
	evRoom   = "room"   // to a room
	evPair   = "pair"   // to two rooms at once
	evJoined = "joined" // N is the next number in the room
	evLeft   = "left"   // the same, at the end
	evAsk    = "ask"    // wants an ack
	evSum    = "sum"    // the numbers at the end
)

// The events from clients, which are acked but for evUp.
const (
	evUp    = "up"
	evCall  = "call"
	evJoin  = "join"
	evLeave = "leave"
	evTotal = "total" // asks for evSum; N is the next number of evUp
)

// lanes is how many calls a client may have under way at a time, each in a
// stream of its own.
const lanes = 2

// note is the first argument of every event, and of every ack. If Size is not
// 0 the second argument is bytes, see payload.
type note struct {
	N         uint64            `json:"n"`
	Room      string            `json:"room,omitempty"`
	Room2     string            `json:"room2,omitempty"`
	N2        uint64            `json:"n2,omitempty"`
	Lane      int               `json:"lane,omitempty"`
	Size      int               `json:"size,omitempty"`
	Conn      int               `json:"conn,omitempty"`
	Recovered bool              `json:"recovered,omitempty"`
	Kicked    bool              `json:"kicked,omitempty"`
	Rooms     map[string]uint64 `json:"rooms,omitempty"`
}

func (n note) String() string {
	text, _ := json.Marshal(n) // never fails
	return string(text)
}

// auth is what a client says when it joins the namespace.
type auth struct {
	Slot int `json:"slot"` // who it is, from 1
	Conn int `json:"conn"` // counts its connections, from 1
}

// payload returns the bytes that go with a number.
func payload(n uint64, size int) []byte {
	if size == 0 {
		return nil
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(n) + byte(i)
	}
	return b
}

// intact reports whether b are the bytes that go with a number.
func intact(b []byte, n uint64, size int) bool {
	if len(b) != size {
		return false
	}
	for i, c := range b {
		if c != byte(n)+byte(i) {
			return false
		}
	}
	return true
}

// reply is the number that answers n.
func reply(n uint64) uint64 { return 3*n + 1 }

// addresses are what the server process prints, and stats what it tells when it
// is asked.
type addresses struct {
	Apps    []string // host:port, in the order of appNames
	Control string
}

// stats is the state of the server process; sizes in bytes.
type stats struct {
	Live, InUse, Stack, RSS uint64
	Goroutines              int
	Clients                 int // Engine.IO sessions
	Rooms                   int
	In, Out                 uint64 // events handled and sent
	Faults                  []string
}

// The servers in the server process.
const (
	appJSON = iota
	appMsgPack
	appPlain
	apps
)

// appNames are those of the reports.
var appNames = [apps]string{"json", "msgpack", "plain"}
