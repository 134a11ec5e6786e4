package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/socketio"
)

func names(people []Person) string {
	var list []string
	for _, p := range people {
		list = append(list, p.Name)
	}
	return strings.Join(list, ",")
}

func TestTwoPeopleTalk(t *testing.T) {
	addr, _ := serve(t, Config{})
	ada, bob := dial(t, addr), dial(t, addr)
	if j := ada.enter(" Lobby ", "  Ada   L ", "k-ada"); j.Room != "lobby" || j.You.Name != "Ada L" || len(j.History) != 0 || j.MaxFile != 512<<10 {
		t.Fatalf("joined %+v", j)
	}
	if j := bob.enter("lobby", "Bob", "k-bob"); names(j.People) != "Ada L,Bob" {
		t.Errorf("people %s", names(j.People))
	}
	came := arg[Change](ada.want("joined"), t)
	if came.Person.Name != "Bob" || names(came.People) != "Ada L,Bob" {
		t.Errorf("joined %+v", came)
	}
	r := ada.say("m1", "hello")
	if r.ID != "m1" || r.Seq != 1 || r.At == 0 {
		t.Errorf("receipt %+v", r)
	}
	got := arg[Post](bob.want("message"), t)
	if got.Text != "hello" || got.Receipt != r || got.From.Name != "Ada L" || got.Room != "lobby" {
		t.Errorf("message %+v", got)
	}
	bob.emit("typing", true)
	if n := arg[TypingNotice](ada.want("typing"), t); n.Person.Name != "Bob" || !n.On || n.Room != "lobby" {
		t.Errorf("typing %+v", n)
	}
	bob.conn.Close()
	if left := arg[Change](ada.want("left"), t); left.Person.Name != "Bob" || names(left.People) != "Ada L" {
		t.Errorf("left %+v", left)
	}
}

func TestARefusalHasACode(t *testing.T) {
	addr, _ := serve(t, Config{MaxFile: 8, MaxText: 10, MaxRooms: 1})
	ada, bob := dial(t, addr), dial(t, addr)
	file := func(data string) (string, any, []byte) {
		return "file", map[string]any{"id": "f", "name": "a", "type": "b", "data": map[string]any{"_placeholder": true, "num": 0}}, []byte(data)
	}
	refused := func(p *peer, code, event string, arg any, bins ...[]byte) {
		t.Helper()
		if _, got := request[json.RawMessage](p, event, arg, bins...); got != code {
			t.Errorf("%s %+v: %q, want %q", event, arg, got, code)
		}
	}
	refused(bob, CodeNoRoom, "say", Text{"1", "x"})
	refused(bob, CodeNoRoom, "fetch", FetchRequest{"x", "1"})
	ada.enter("lobby", "Ada", "")
	for _, name := range []string{"", " ", strings.Repeat("é", 25), "a\u0000b", "a\u202eb"} {
		refused(bob, CodeBadName, "join", JoinRequest{Room: "lobby", Name: name})
	}
	for _, room := range []string{"", "a b", "a:b", "../x", strings.Repeat("x", 33)} {
		refused(bob, CodeBadRoom, "join", JoinRequest{Room: room, Name: "Bob"})
	}
	refused(bob, CodeNameTaken, "join", JoinRequest{Room: "lobby", Name: "aDA"})
	refused(bob, CodeFull, "join", JoinRequest{Room: "second", Name: "Bob"})
	refused(bob, CodeBadID, "join", JoinRequest{"lobby", "Bob", strings.Repeat("k", 65)})
	refused(ada, CodeBadID, "say", Text{"", "x"})
	refused(ada, CodeBadText, "say", Text{"1", " \n"})
	refused(ada, CodeTooLarge, "say", Text{"1", "12345678901"})
	event, arg, data := file("")
	refused(ada, CodeBadFile, event, arg, data)
	event, arg, data = file("123456789")
	refused(ada, CodeTooLarge, event, arg, data)
	refused(ada, "bad_request", "say", 7)
	ada.say("1", "still in") // no refusal has put her out
}

func TestAFileTravelsAsBinary(t *testing.T) {
	addr, _ := serve(t, Config{})
	ada, bob, eve := dial(t, addr), dial(t, addr), dial(t, addr)
	ada.enter("files", "Ada", "")
	bob.enter("files", "Bob", "")
	ada.want("joined")
	data := bytes.Repeat([]byte{0, 1, 254, 255}, 40_000)
	in := ada.ask("file", map[string]any{
		"id": "f1", "name": `C:\pictures\wave.png`, "type": "image/png",
		"data": map[string]any{"_placeholder": true, "num": 0},
	}, data)
	if len(in.args) != 1 || strings.Contains(string(in.args[0]), "error") {
		t.Fatalf("answer %s", in.args)
	}
	got := bob.want("message")
	var post struct {
		From Person
		File struct {
			Name, Type string
			Size       int
			Data       map[string]any
		}
	}
	decode(t, got.args[0], &post)
	if len(got.bins) != 1 || !bytes.Equal(got.bins[0], data) {
		t.Fatalf("%d attachments", len(got.bins))
	}
	if post.File.Name != "wave.png" || post.File.Type != "image/png" || post.File.Size != len(data) || post.File.Data["_placeholder"] != true {
		t.Errorf("file %+v", post.File)
	}
	seen := eve.ask("join", JoinRequest{Room: "files", Name: "Eve"})
	if j := arg[Joined](seen, t); len(seen.bins) != 0 || len(j.History) != 1 || j.History[0].File.Size != len(data) {
		t.Errorf("history %+v with %d attachments", j.History, len(seen.bins))
	}
	if strings.Contains(string(seen.args[0]), `"data"`) {
		t.Errorf("the history speaks of content: %s", seen.args[0])
	}
	if f := eve.ask("fetch", FetchRequest{post.From.ID, "f1"}); len(f.bins) != 1 || !bytes.Equal(f.bins[0], data) {
		t.Errorf("fetched %d attachments, %s", len(f.bins), f.args)
	}
	if _, code := request[Content](eve, "fetch", FetchRequest{post.From.ID, "f2"}); code != CodeGone {
		t.Errorf("fetch of nothing: %q", code)
	}
}

// A client whose receipt got lost sends its message again: over the same
// connection, and over a new one that shows the same key.
func TestAMessageSentAgainIsDeliveredOnce(t *testing.T) {
	addr, _ := serve(t, Config{})
	ada, bob := dial(t, addr), dial(t, addr)
	bob.enter("lobby", "Bob", "")
	ada.enter("lobby", "Ada", "secret")
	bob.want("joined")
	first := ada.say("m1", "once")
	if again := ada.say("m1", "once"); again != first {
		t.Errorf("receipts %+v and %+v", first, again)
	}
	back := dial(t, addr)
	if j := back.enter("lobby", "Ada", "secret"); len(j.History) != 1 || names(j.People) != "Bob,Ada" {
		t.Errorf("back in %+v", j)
	}
	ada.want("replaced")
	if again := back.say("m1", "once"); again != first {
		t.Errorf("receipts %+v and %+v", first, again)
	}
	back.say("m2", "twice")
	// Bob hears neither a second "once" nor that anybody left or came.
	if got := arg[Post](bob.want("message"), t); got.Text != "once" {
		t.Errorf("message %+v", got)
	}
	if got := arg[Post](bob.want("message"), t); got.Text != "twice" || got.Seq != 2 {
		t.Errorf("message %+v", got)
	}
	// The id of somebody else is another message.
	if r := bob.say("m1", "mine"); r.Seq != 3 {
		t.Errorf("receipt %+v", r)
	}
}

func TestAReplacedClientIsSentAway(t *testing.T) {
	addr, c := serve(t, Config{})
	old := dial(t, addr)
	you := old.enter("lobby", "Ada", "secret").You
	now := dial(t, addr)
	if j := now.enter("lobby", "Ada", "secret"); j.You != you || names(j.People) != "Ada" {
		t.Errorf("joined %+v", j)
	}
	old.want("replaced")
	for {
		op, b, err := old.read()
		if err != nil || op == 8 { // a close frame
			old.conn.Close()
			break
		}
		if s := string(b); strings.HasPrefix(s, "42") && !strings.Contains(s, `"rooms"`) {
			t.Errorf("after it was replaced it got %q", s)
		}
	}
	await.Until(t, "the first connection is gone", func() bool { return c.srv.Engine().Clients() == 1 })
	if r := now.say("m1", "here"); r.Seq != 1 {
		t.Errorf("the old connection has taken the seat along: %+v", r)
	}
}

func TestRoomsAreApart(t *testing.T) {
	addr, _ := serve(t, Config{})
	ada, bob := dial(t, addr), dial(t, addr)
	ada.enter("one", "Ada", "")
	bob.enter("two", "Bob", "")
	ada.say("1", "in one")
	if j := bob.enter("one", "Bob", ""); len(j.History) != 1 || names(j.People) != "Ada,Bob" {
		t.Errorf("joined %+v", j)
	}
	ada.want("joined")
	// A refused change of rooms leaves one where one is.
	if _, code := request[Joined](bob, "join", JoinRequest{Room: "no good", Name: "Bob"}); code != CodeBadRoom {
		t.Errorf("code %q", code)
	}
	bob.say("2", "still in one")
	if got := arg[Post](ada.want("message"), t); got.Text != "still in one" {
		t.Errorf("message %+v", got)
	}
	if in := bob.ask("leave", nil); len(in.args) != 0 {
		t.Errorf("leave: %s", in.args)
	}
	ada.want("left")
	ada.say("3", "alone")
	if _, code := request[Receipt](bob, "say", Text{"4", "x"}); code != CodeNoRoom {
		t.Errorf("code %q", code)
	}
	if len(bob.late) > 0 && slices.ContainsFunc(bob.late, func(in incoming) bool { return in.event == "message" }) {
		t.Errorf("heard outside of the room: %+v", bob.late)
	}
}

func TestTheListOfRoomsIsSent(t *testing.T) {
	addr, _ := serve(t, Config{})
	ada, bob := dial(t, addr), dial(t, addr)
	ada.enter("one", "Ada", "")
	bob.enter("two", "Bob", "")
	for {
		list := arg[[]RoomInfo](ada.want("rooms"), t)
		if slices.Equal(list, []RoomInfo{{"one", 1}, {"two", 1}}) {
			return
		}
	}
}

func TestNothingStaysWhenAllHaveLeft(t *testing.T) {
	addr, c := serve(t, Config{Linger: -1})
	var peers []*peer
	for i := range 20 {
		p := dial(t, addr)
		p.enter(fmt.Sprintf("room-%d", i%4), fmt.Sprintf("P%d", i), "")
		p.say("1", "hello")
		peers = append(peers, p)
	}
	for _, p := range peers {
		p.conn.Close()
	}
	await.Until(t, "all rooms are gone", func() bool {
		c.hall.mu.Lock()
		defer c.hall.mu.Unlock()
		return len(c.hall.rooms) == 0 && len(c.hall.seats) == 0 && c.hall.bytes == 0
	})
}

func ExampleRegister() {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	Register(srv, Config{History: 100})
	fmt.Println(Join.Name(), Say.Name(), Posted.Name())
	// Output: join say message
}
