package suite

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

const (
	text = raw.Fin | raw.Text
	bin  = raw.Fin | raw.Bin
	ping = raw.Fin | raw.Ping
	pong = raw.Fin | raw.Pong
	last = raw.Fin | raw.Cont
	bye  = raw.Fin | raw.Close
)

// framing are the groups 1 to 5 and 10: RFC 6455 sections 5.2, 5.4, 5.5 and 5.6.
func framing() (all []Case) {
	for kind, op := range map[int]byte{1: text, 2: bin} {
		for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
			p := strings.Repeat("*", n)
			if op == bin {
				p = strings.Repeat("\xfe", n)
			}
			s := say(op, p)
			if i == 7 {
				s.Chop = 997
			}
			all = append(all, fine(fmt.Sprintf("1.%d.%d", kind, i+1), []raw.Frame{s.Frame}, s))
		}
	}
	all = append(all, pings()...)
	all = append(all, reserved()...)
	all = append(all, fragments()...)
	m := bytes.Repeat([]byte("*"), 65536)
	return append(all, fine("10.1.1", []raw.Frame{{B0: text, Payload: m}}, split(raw.Text, m, 1300)...))
}

func pings() []Case {
	var ten []Say
	var pongs []raw.Frame
	for i := range 10 {
		p := fmt.Sprintf("payload-%d", i)
		ten, pongs = append(ten, say(ping, p)), append(pongs, frame(pong, p))
	}
	long := strings.Repeat("\xfe", 125)
	one := func(p string) []raw.Frame { return []raw.Frame{frame(pong, p)} }
	return []Case{
		fine("2.1", one(""), say(ping, "")),
		fine("2.2", one("Hello, world!"), say(ping, "Hello, world!")),
		fine("2.3", one("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), say(ping, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")),
		fine("2.4", one(long), say(ping, long)),
		failing("2.5", 1002, nil, say(ping, long+"\xfe")),
		fine("2.6", one(long), say(ping, long).chop(1)),
		fine("2.7", nil, say(pong, "")),
		fine("2.8", nil, say(pong, "unsolicited")),
		fine("2.9", one("ping"), say(pong, "unsolicited"), say(ping, "ping")),
		fine("2.10", pongs, ten...),
		fine("2.11", pongs, chopped(1, append([]Say(nil), ten...)...)...),
	}
}

func reserved() []Case {
	hello := frame(text, "Hello, world!")
	said := Say{Frame: hello}
	one := []raw.Frame{hello}
	rsv := func(n, op byte) Say { return say(raw.Fin|n<<4|op, "Hello, world!") }
	all := []Case{
		failing("3.1", 1002, nil, rsv(1, raw.Text)),
		failing("3.2", 1002, one, said, rsv(2, raw.Text), say(ping, "")),
		failing("3.3", 1002, one, said.chop(64), rsv(3, raw.Text).chop(64), say(ping, "")),
		failing("3.4", 1002, one, chopped(1, said, rsv(4, raw.Text), say(ping, ""))...),
		failing("3.5", 1002, nil, rsv(5, raw.Bin)),
		failing("3.6", 1002, nil, rsv(6, raw.Ping)),
		failing("3.7", 1002, nil, say(bye|7<<4, "\x03\xe8")),
	}
	for g, first := range []byte{3, 11} {
		id := func(i int) string { return fmt.Sprintf("4.%d.%d", g+1, i) }
		bad := func(i byte, p string) Say { return say(raw.Fin|(first+i), p) }
		all = append(all,
			failing(id(1), 1002, nil, bad(0, "")),
			failing(id(2), 1002, nil, bad(1, "reserved opcode")),
			failing(id(3), 1002, one, said, bad(2, ""), say(ping, "")),
			failing(id(4), 1002, one, said, bad(3, "reserved opcode"), say(ping, "")),
			failing(id(5), 1002, one, chopped(1, said, bad(4, "reserved opcode"), say(ping, ""))...))
	}
	return all
}

func fragments() []Case {
	const a, b = "fragment1", "fragment2"
	whole := frame(text, a+b)
	two := func() []Say { return []Say{say(raw.Text, a), say(last, b)} }
	three := func() []Say { return []Say{say(raw.Text, a), say(ping, "ping"), say(last, b)} }
	echo, both := []raw.Frame{whole}, []raw.Frame{frame(pong, "ping"), whole}
	nothing := func(b0 byte) []Say { return []Say{say(b0, "non-continuation payload"), say(text, "Hello, world!")} }
	twice := func(b0 byte) (s []Say) {
		for range 2 {
			s = append(s, say(b0, a), say(text, b))
		}
		return s
	}
	five := func(chop, after int) []Say {
		return []Say{say(raw.Text, "f1").chop(chop), say(raw.Cont, "f2").chop(chop), say(ping, "pongme 1!").chop(chop),
			say(raw.Cont, "f3").chop(chop).after(after), say(raw.Cont, "f4").chop(chop), say(ping, "pongme 2!").chop(chop), say(last, "f5").chop(chop)}
	}
	heard := []raw.Frame{frame(pong, "pongme 1!"), frame(pong, "pongme 2!"), frame(text, "f1f2f3f4f5")}
	return []Case{
		failing("5.1", 1002, nil, say(raw.Ping, a), say(last, b)),
		failing("5.2", 1002, nil, say(raw.Pong, a), say(last, b)),
		fine("5.3", echo, two()...),
		fine("5.4", echo, chopped(1<<10, two()...)...),
		fine("5.5", echo, chopped(1, two()...)...),
		fine("5.6", both, three()...),
		fine("5.7", both, chopped(1<<10, three()...)...),
		fine("5.8", both, chopped(1, three()...)...),
		failing("5.9", 1002, nil, nothing(last)...),
		failing("5.10", 1002, nil, chopped(1<<10, nothing(last)...)...),
		failing("5.11", 1002, nil, chopped(1, nothing(last)...)...),
		failing("5.12", 1002, nil, nothing(raw.Cont)...),
		failing("5.13", 1002, nil, chopped(1<<10, nothing(raw.Cont)...)...),
		failing("5.14", 1002, nil, chopped(1, nothing(raw.Cont)...)...),
		failing("5.15", 1002, echo, append(two(), say(raw.Cont, "f3"), say(text, "f4"))...),
		failing("5.16", 1002, nil, twice(raw.Cont)...),
		failing("5.17", 1002, nil, twice(last)...),
		failing("5.18", 1002, nil, say(raw.Text, a), say(text, b)),
		fine("5.19", heard, five(1<<10, 1)...),
		fine("5.20", heard, five(0, 0)...),
	}
}
