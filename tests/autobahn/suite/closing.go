package suite

import (
	"fmt"
	"strings"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

func closeWith(code int, reason string) Say {
	return Say{Frame: raw.Frame{B0: bye, Payload: raw.Closing(code, reason)}}
}

// closing is the group 7: RFC 6455 sections 5.5.1 and 7. The three that are
// open are those where the RFC does not say what is right.
func closing() []Case {
	hello := frame(text, "Hello World!")
	echo, normal := []raw.Frame{hello}, closeWith(1000, "")
	answered := func(id string, code int, hear []raw.Frame, say ...Say) Case {
		return Case{ID: id, Say: say, Hear: hear, End: End{said, code}}
	}
	big := strings.Repeat("BAsd7&jh23", 26<<10)
	all := []Case{
		fine("7.1.1", echo, Say{Frame: hello}),
		answered("7.1.2", 1000, nil, normal, normal),
		answered("7.1.3", 1000, nil, normal, say(ping, "")),
		answered("7.1.4", 1000, nil, normal, Say{Frame: hello}),
		answered("7.1.5", 1000, nil, say(raw.Text, "fragment1"), normal, say(last, "fragment2")),
		{ID: "7.1.6", Say: []Say{say(text, big), {Frame: hello}, normal, say(ping, "")}, End: End{kind: open}},
		answered("7.3.1", 1005, nil, closeWith(1005, "")),
		failing("7.3.2", 1002, nil, say(bye, "a")),
		answered("7.3.3", 1000, nil, normal),
		answered("7.3.4", 1000, nil, closeWith(1000, "Hello World!")),
		answered("7.3.5", 1000, nil, closeWith(1000, strings.Repeat("*", 123))),
		failing("7.3.6", 1002, nil, closeWith(1000, strings.Repeat("*", 124))),
		failing("7.5.1", 1007, nil, closeWith(1000, greek+"\xed\xa0\x80edited")),
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		all = append(all, answered(fmt.Sprintf("7.7.%d", i+1), code, nil, closeWith(code, "")))
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		c := say(bye, string([]byte{byte(code >> 8), byte(code)}))
		all = append(all, failing(fmt.Sprintf("7.9.%d", i+1), 1002, nil, c))
	}
	for i, code := range []int{5000, 65535} {
		all = append(all, Case{ID: fmt.Sprintf("7.13.%d", i+1), Say: []Say{closeWith(code, "")}, End: End{kind: open}})
	}
	return all
}

// limits is the group 9: large messages, many frames, small pieces. What comes
// back is compared byte for byte.
func limits() (all []Case) {
	const k, m = 1 << 10, 1 << 20
	ops := []byte{raw.Text, raw.Bin}
	add := func(group, i int, op byte, size, frag, chop int) {
		p := []byte(strings.Repeat("BAsd7&jh23*", size/11+1)[:size])
		s := split(op, p, frag)
		if chop > 0 {
			s = chopped(chop, s...)
		}
		all = append(all, fine(fmt.Sprintf("9.%d.%d", group, i+1), []raw.Frame{{B0: raw.Fin | op, Payload: p}}, s...))
	}
	for o, op := range ops {
		for i, n := range []int{64 * k, 256 * k, m, 4 * m, 8 * m, 16 * m} {
			add(1+o, i, op, n, 0, 0)
		}
		for i, n := range []int{64, 256, k, 4 * k, 16 * k, 64 * k, 256 * k, m, 4 * m} {
			add(3+o, i, op, 4*m, n, 0)
		}
		for i, n := range []int{64, 128, 256, 512, k, 2 * k} {
			add(5+o, i, op, m, 0, n)
		}
		for i, n := range []int{0, 16, 64, 256, k, 4 * k} {
			f := frame(raw.Fin|op, strings.Repeat("*", n))
			c := Case{ID: fmt.Sprintf("9.%d.%d", 7+o, i+1)}
			for range 1000 {
				c.Say, c.Hear = append(c.Say, Say{Frame: f, Chop: n + 14}), append(c.Hear, f)
			}
			all = append(all, c)
		}
	}
	return all
}
