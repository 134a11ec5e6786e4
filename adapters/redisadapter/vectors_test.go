package redisadapter

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// vectorFile is a recording of what official programs send to Redis, format
// adapter-vectors/1.
type vectorFile struct {
	Options struct {
		Key      string
		Nsp      string
		Specific bool `json:"publishOnSpecificResponseChannel"`
	}
	Vars      map[string]any
	Scenarios []vectorScenario
}

type vectorScenario struct {
	Name, Call string
	Commands   []vectorCommand
	Result     json.RawMessage
	Error      *string
}

type vectorCommand struct {
	Node, Cmd, Channel, Stream, ID, Encoding string
	PayloadHex                               string   `json:"payload_hex"`
	Before                                   []string `json:"args_before_fields"`
	Fields                                   []struct{ Name, Text string }
	Args                                     []any
	Decoded                                  json.RawMessage
}

func readVectors(t testing.TB, name string) *vectorFile {
	t.Helper()
	text, err := os.ReadFile("../cluster/wire/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	v := new(vectorFile)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// text returns a variable.
func (v *vectorFile) text(name string) string { s, _ := v.Vars[name].(string); return s }

// words returns the command as it was written.
func (c *vectorCommand) words(t testing.TB) []string {
	t.Helper()
	switch c.Cmd {
	case "PUBLISH":
		return []string{"PUBLISH", c.Channel, c.payload(t)}
	case "XADD":
		words := append([]string{"XADD", c.Stream}, c.Before...)
		words = append(words, c.ID)
		for _, f := range c.Fields {
			words = append(words, f.Name, f.Text)
		}
		return words
	}
	words := []string{c.Cmd}
	for _, a := range c.Args {
		words = append(words, a.(string))
	}
	return words
}

func (c *vectorCommand) payload(t testing.TB) string {
	t.Helper()
	b, err := hex.DecodeString(c.PayloadHex)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// from returns the commands of a node.
func (s *vectorScenario) from(node string, names ...string) (list []vectorCommand) {
	for _, c := range s.Commands {
		if c.Node == node && strings.Contains(strings.Join(names, " "), c.Cmd) {
			list = append(list, c)
		}
	}
	return list
}

// taggedArgs turns JSON with {"$bin":hex} into arguments.
func taggedArgs(t testing.TB, text []byte) (args parser.Args) {
	t.Helper()
	const tag = `{"$bin":"`
	for s := string(compact(t, text)); ; {
		before, after, found := strings.Cut(s, tag)
		args.JSON = append(args.JSON, before...)
		if !found {
			return args
		}
		digits, rest, _ := strings.Cut(after, `"}`)
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		args.JSON = append(args.JSON, `{"_placeholder":true,"num":`+strconv.Itoa(len(args.Attachments))+`}`...)
		args.Attachments, s = append(args.Attachments, b), rest
	}
}

// untag is the reverse of taggedArgs.
func untag(a parser.Args) string {
	return string(a.AppendJSON(nil, func(dst, b []byte) []byte {
		return append(append(append(dst, `{"$bin":"`...), hex.EncodeToString(b)...), `"}`...)
	}))
}

func compact(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// vectorTarget reads opts as they were recorded.
func vectorTarget(t testing.TB, text []byte) (to adapters.Target) {
	t.Helper()
	var opts struct {
		Rooms, Except []any
		Flags         struct {
			Volatile bool
			Compress *bool
			Single   bool `json:"expectSingleResponse"`
			Timeout  float64
		}
	}
	if err := json.Unmarshal(text, &opts); err != nil {
		t.Fatal(err)
	}
	for _, r := range opts.Rooms {
		to.Rooms = append(to.Rooms, fmt.Sprint(r))
	}
	for _, r := range opts.Except {
		to.Except = append(to.Except, fmt.Sprint(r))
	}
	f := &opts.Flags
	to.Flags = adapters.Flags{Volatile: f.Volatile, NoCompress: f.Compress != nil && !*f.Compress, Single: f.Single, Timeout: time.Duration(f.Timeout) * time.Millisecond}
	return to
}
