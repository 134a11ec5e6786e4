package chat

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
)

// clock is a time that tests set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func hallOf(cfg Config) (*hall, *clock) {
	c := &clock{time.UnixMilli(1_000_000)}
	cfg.Now = c.now
	return newHall(cfg.settled()), c
}

func mustEnter(t *testing.T, h *hall, socket, room, name string) {
	t.Helper()
	if _, err := h.enter(socket, room, person(name, "", socket)); err != nil {
		t.Fatal(err)
	}
}

func mustPost(t *testing.T, h *hall, socket, id string, p Post) Post {
	t.Helper()
	p.ID = id
	p, fresh, err := h.post(socket, p)
	if err != nil || !fresh {
		t.Fatalf("post %s: %v, %v", id, fresh, err)
	}
	return p
}

func TestTheHistoryIsBounded(t *testing.T) {
	h, _ := hallOf(Config{History: 5})
	mustEnter(t, h, "s", "r", "Ada")
	for i := range 100 {
		mustPost(t, h, "s", fmt.Sprint(i), Post{Text: "x"})
	}
	seen, _ := h.look("s")
	if len(seen.History) != 5 || seen.History[0].ID != "95" || seen.History[4].Seq != 100 {
		t.Errorf("history %+v", seen.History)
	}
	r := h.rooms["r"]
	if len(r.known) != 5*remembered || len(r.order) != 5*remembered {
		t.Errorf("%d ids, %d in order", len(r.known), len(r.order))
	}
	// An id outlives its message.
	if _, fresh, err := h.post("s", Post{Receipt: Receipt{ID: "70"}, Text: "x"}); fresh || err != nil {
		t.Errorf("posted again: %v, %v", fresh, err)
	}
}

func TestBytesAreBounded(t *testing.T) {
	h, c := hallOf(Config{RoomBytes: 10_000, TotalBytes: 25_000})
	for i := range 4 {
		mustEnter(t, h, fmt.Sprint(i), fmt.Sprint("r", i), "Ada")
	}
	for i := range 80 {
		c.t = c.t.Add(time.Second)
		mustPost(t, h, fmt.Sprint(i%4), fmt.Sprint(i), Post{File: &File{Name: "f", Data: make([]byte, 3000)}})
		total := 0
		for _, r := range h.rooms {
			n := 0
			for _, p := range r.posts {
				n += weight(p)
			}
			if n != r.bytes || n > 10_000 {
				t.Fatalf("%s: %d bytes, noted %d", r.name, n, r.bytes)
			}
			total += n
		}
		if total != h.bytes || total > 25_000 {
			t.Fatalf("%d bytes, noted %d", total, h.bytes)
		}
	}
	last, err := h.fetch("3", FetchRequest{person("Ada", "", "3").ID, "79"})
	if err != nil || len(last) != 3000 {
		t.Errorf("the newest file: %d bytes, %v", len(last), err)
	}
	_, err = h.fetch("0", FetchRequest{person("Ada", "", "0").ID, "0"})
	if refusal := (*socketio.Error)(nil); !errors.As(err, &refusal) || refusal.Code != CodeGone {
		t.Errorf("the oldest file: %v", err)
	}
}

func TestAnEmptyRoomIsRememberedForAWhile(t *testing.T) {
	h, c := hallOf(Config{Linger: time.Minute})
	mustEnter(t, h, "a", "r", "Ada")
	mustPost(t, h, "a", "1", Post{Text: "hello"})
	h.leave("a")
	c.t = c.t.Add(59 * time.Second)
	mustEnter(t, h, "b", "r", "Bob")
	if seen, _ := h.look("b"); len(seen.History) != 1 {
		t.Errorf("history %+v", seen.History)
	}
	h.leave("b")
	c.t = c.t.Add(time.Minute)
	mustEnter(t, h, "c", "other", "Eve")
	if len(h.rooms) != 1 || h.bytes != 0 {
		t.Errorf("%d rooms, %d bytes", len(h.rooms), h.bytes)
	}
	h.leave("c") // nothing was said there
	if len(h.rooms) != 0 || len(h.seats) != 0 {
		t.Errorf("%d rooms, %d seats", len(h.rooms), len(h.seats))
	}
}

func TestAnEmptyRoomMakesPlace(t *testing.T) {
	h, c := hallOf(Config{MaxRooms: 2})
	for _, room := range []string{"one", "two"} {
		mustEnter(t, h, room, room, "Ada")
		mustPost(t, h, room, "1", Post{Text: "x"})
		h.leave(room)
		c.t = c.t.Add(time.Second)
	}
	mustEnter(t, h, "s", "three", "Ada")
	if h.rooms["one"] != nil || h.rooms["two"] == nil {
		t.Error("not the room that was empty for longest is gone")
	}
	mustEnter(t, h, "t", "four", "Bob")
	_, err := h.enter("u", "five", person("Eve", "", "u"))
	if refusal := (*socketio.Error)(nil); !errors.As(err, &refusal) || refusal.Code != CodeFull {
		t.Errorf("a third room: %v", err)
	}
}

func TestARoomOfTheListHasPeople(t *testing.T) {
	h, _ := hallOf(Config{})
	mustEnter(t, h, "1", "small", "Ada")
	mustEnter(t, h, "2", "big", "Ada")
	mustEnter(t, h, "3", "big", "Bob")
	mustEnter(t, h, "4", "gone", "Ada")
	mustPost(t, h, "4", "1", Post{Text: "x"})
	h.leave("4")
	if list := fmt.Sprint(h.roomList()); list != "[{big 2} {small 1}]" {
		t.Errorf("list %s", list)
	}
}

func TestFileNames(t *testing.T) {
	for in, want := range map[string]string{
		"a.png": "a.png", "../../etc/passwd": "passwd", `C:\x\y.txt`: "y.txt", "": "file", "/": "file",
		"..": "file", ".": "file", "a\u202egpj.exe": "agpj.exe", "a\r\nb": "ab",
	} {
		if got, _ := cleanFile(in, ""); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if _, media := cleanFile("a", "text/html\r\nX: y"); media != "" {
		t.Errorf("media type %q", media)
	}
}
