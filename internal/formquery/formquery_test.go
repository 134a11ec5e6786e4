package formquery

import (
	"fmt"
	"strings"
	"testing"
)

// What new URL(…).searchParams of Node makes of each.
func TestPairs(t *testing.T) {
	for raw, want := range map[string]string{
		"":                              ``,
		"a=1&b=2&a=3":                   `"a"="1" "b"="2" "a"="3"`,
		"a=%zz&b=%4&c=%&d=%%41":         `"a"="%zz" "b"="%4" "c"="%" "d"="%A"`,
		"a;b=1;2&c=3":                   `"a;b"="1;2" "c"="3"`,
		"a=b=c&=x&y&&z=":                `"a"="b=c" ""="x" "y"="" "z"=""`,
		"a+b=c+d%2Be":                   `"a b"="c d+e"`,
		"%61=%C3%a9&%41%":               `"a"="é" "A%"=""`,
		"%00=%e2%82&x=%ff":              `"\x00"="` + "\uFFFD" + `" "x"="` + "\uFFFD" + `"`,
		"%25%34%31=a%2&b%g1=%1G&c=\xff": `"%41"="a%2" "b%g1"="%1G" "c"="` + "\uFFFD" + `"`,
	} {
		var got []string
		for name, value := range Pairs(raw) {
			got = append(got, fmt.Sprintf("%q=%q", name, value))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q: %s, want %s", raw, text, want)
		}
	}
	for range Pairs("a&b&c") {
		break // must not go on
	}
}
