// Command client is a terminal client for the chat of the server program.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// What the server and its clients say to each other; the server program has the
// same descriptors.
const (
	Join   event.Request[JoinRequest, Joined] = "join"
	Say    event.Request[Text, event.None]    = "say"
	Posted event.Message[Post]                = "message"
	Came   event.Message[Change]              = "joined"
	Left   event.Message[Change]              = "left"
)

// JoinRequest enters a room. Whoever shows the same key again is the same person.
type JoinRequest struct {
	Room string `json:"room"`
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Joined is the answer.
type Joined struct {
	Room    string   `json:"room"`
	People  []Person `json:"people"`
	History []Post   `json:"history"`
}

// Person is somebody in a room.
type Person struct {
	Name string `json:"name"`
}

// Text is said in a room. A text with the same id counts once.
type Text struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Post is what somebody said, or a file.
type Post struct {
	From Person `json:"from"`
	Text string `json:"text"`
	File *struct {
		Name string `json:"name"`
		Size int    `json:"size"`
	} `json:"file"`
}

// Change is somebody who came or left.
type Change struct {
	Person Person `json:"person"`
}

// String is p for a terminal.
func (p Post) String() string {
	if p.File != nil {
		return fmt.Sprintf("%s: [%s, %d bytes]", p.From.Name, p.File.Name, p.File.Size)
	}
	return p.From.Name + ": " + p.Text
}

// talk joins a room of the server at url: it says each line of in, and writes
// what is said to out. It returns at the end of in.
func talk(url string, me JoinRequest, in io.Reader, out io.Writer) error {
	show := log.New(out, "", 0) // several goroutines write
	me.Key = rand.Text()        // so that we keep our seat when the connection is lost
	client, err := sioclient.New(url, sioclient.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close(context.Background()) }()
	listen(client, me, show)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := client.Connect(ctx); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if _, err := Say.Call(ctx, client, Text{ID: rand.Text(), Text: lines.Text()}); err != nil {
			show.Printf("(not said: %v)", err)
		}
		cancel()
	}
	return nil
}

// listen shows what happens, and joins the room on each connection.
func listen(client *sioclient.Socket, me JoinRequest, show *log.Logger) {
	client.OnConnect(func(ctx context.Context, s *sioclient.Socket) error {
		joined, err := Join.Call(ctx, s, me)
		if err != nil {
			show.Printf("(not in the room: %v)", err)
			return err
		}
		for _, p := range joined.History {
			show.Print(p)
		}
		show.Printf("* you are in %s, with %d people in all", joined.Room, len(joined.People))
		return nil
	})
	client.OnDisconnect(func(s *sioclient.Socket, reason sioclient.Reason) {
		if reason != sioclient.IOClientDisconnect {
			show.Printf("(cut off: %s)", reason)
		}
	})
	client.OnConnectError(func(s *sioclient.Socket, err error) { show.Printf("(no connection: %v)", err) })
	sioclient.HandleMessage(client, Posted, func(ctx context.Context, s *sioclient.Socket, p Post) error {
		show.Print(p)
		return nil
	})
	sioclient.HandleMessage(client, Came, func(ctx context.Context, s *sioclient.Socket, c Change) error {
		show.Print("* " + c.Person.Name + " came")
		return nil
	})
	sioclient.HandleMessage(client, Left, func(ctx context.Context, s *sioclient.Socket, c Change) error {
		show.Print("* " + c.Person.Name + " left")
		return nil
	})
}

func main() {
	url := flag.String("url", "http://127.0.0.1:3000", "where the server is")
	room := flag.String("room", "lobby", "the room to join")
	name := flag.String("name", "gopher", "your name")
	flag.Parse()
	if err := talk(*url, JoinRequest{Room: *room, Name: *name}, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}
