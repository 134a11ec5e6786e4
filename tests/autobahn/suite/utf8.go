package suite

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

const greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

// texts are the groups 6.5 to 6.23: one message each, well-formed or not, by
// RFC 3629 section 4. Which it is, says unicode/utf8.
func texts() [][]string {
	var prefixes, starts, nonchars, specials []string
	for i := range len(greek) {
		prefixes = append(prefixes, greek[:i+1])
	}
	for _, r := range [][2]int{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		var s strings.Builder
		for b := r[0]; b <= r[1]; b++ {
			s.WriteString(string([]byte{byte(b), ' '}))
		}
		starts = append(starts, s.String())
	}
	for plane := range rune(17) {
		nonchars = append(nonchars, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	for r := rune(0xfff9); r <= 0xffff; r++ {
		specials = append(specials, string(r))
	}
	every := make([]byte, 64)
	for i := range every {
		every[i] = byte(0x80 + i)
	}
	cut := []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	return [][]string{
		{greek, "Hello-µ@ßöäüàá-UTF-8!!", "日本語", "\U0001f389", "a" + greek + "z"},
		prefixes,
		{"\x00", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"},
		{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"},
		{"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"},
		{"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80"},
		{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf", string(every)},
		starts,
		cut,
		{strings.Join(cut, "")},
		{"\xfe", "\xff", "\xfe\xfe\xff\xff"},
		{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"},
		{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"},
		{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"},
		{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"},
		{"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
			"\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf"},
		nonchars,
		specials,
	}
}

// utf8s is the group 6: RFC 6455 section 8.1.
func utf8s() []Case {
	const hello = "Hello-µ@ßöäüàá-UTF-8!!"
	const bad = greek + "\xed\xa0\x80" + "edited"      // a surrogate, after which
	const worse = greek + "\xf4\x90\x80\x80" + "later" // or a rune beyond the last
	octets := func(s string) []Say { return split(raw.Text, []byte(s), 1) }
	all := []Case{
		fine("6.1.1", []raw.Frame{frame(text, "")}, say(text, "")),
		fine("6.1.2", []raw.Frame{frame(text, "")}, say(raw.Text, ""), say(raw.Cont, ""), say(last, "")),
		fine("6.1.3", []raw.Frame{frame(text, "middle")}, say(raw.Text, ""), say(raw.Cont, "middle"), say(last, "")),
		fine("6.2.1", []raw.Frame{frame(text, hello)}, say(text, hello)),
		fine("6.2.2", []raw.Frame{frame(text, hello)}, say(raw.Text, hello[:12]), say(last, hello[12:])),
		fine("6.2.3", []raw.Frame{frame(text, hello)}, octets(hello)...),
		fine("6.2.4", []raw.Frame{frame(text, greek)}, octets(greek)...),
		failing("6.3.1", 1007, nil, say(text, bad)),
		failing("6.3.2", 1007, nil, octets(bad)...),
		// Fail-fast: what would follow is never sent, and the frame or message stays unfinished.
		failing("6.4.1", 1007, nil, say(raw.Text, greek), say(raw.Cont, "\xf4\x90\x80\x80")),
		failing("6.4.2", 1007, nil, say(raw.Text, greek+"\xf4"), say(raw.Cont, "\x90")),
		failing("6.4.3", 1007, nil, say(text, worse).chop(1<<10).part(len(greek)+4)),
		failing("6.4.4", 1007, nil, say(text, worse).chop(1).part(len(greek)+2)),
	}
	for g, group := range texts() {
		for i, s := range group {
			id := fmt.Sprintf("6.%d.%d", g+5, i+1)
			if utf8.ValidString(s) {
				all = append(all, fine(id, []raw.Frame{frame(text, s)}, say(text, s)))
			} else {
				all = append(all, failing(id, 1007, nil, say(text, s)))
			}
		}
	}
	return all
}
