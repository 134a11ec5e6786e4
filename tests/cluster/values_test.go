//go:build node

package cluster

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

var values = []scenario{
	{"binary arguments", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{}, "binary", `[{"$bin":"AAECA/8="}]`, p.all())
		p.emits(t, nodes.Q{}, "binary beside", `[1,{"$bin":""},"x",{"$bin":"/w=="},null]`, p.all())
		p.emits(t, nodes.Q{}, "binary within", `[{"a":[{"$bin":"AQI="},{"b":{"$bin":"Aw=="}}],"c":"d"}]`, p.all())
	}},
	{"unicode", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{}, "ünïcødé ☃ 💬", `["ä","日本語","💬\u2028\u2029","\u0000\u001f\u007f<>&\"\\/"]`, p.all())
		p.emits(t, nodes.Q{}, "unicode with bytes", `["ä","日本語","💬\u2028\u2029","\u0000\u001f\u007f<>&\"\\/",{"$bin":"AQI="}]`, p.all())
	}},
	{"objects", func(t *testing.T, p *pair) {
		const args = `[{"b":1,"a":{"10":1,"2":[[],{}],"":""},"toString":null},[[[[[]]]]],true,false,null,"",[null]]`
		p.emits(t, nodes.Q{}, "objects", args, p.all())
		p.emits(t, nodes.Q{}, "objects with bytes", strings.TrimSuffix(args, "]")+`,{"$bin":"AQI="}]`, p.all())
	}},
	{"numbers", func(t *testing.T, p *pair) {
		const args = `[0,-1,-32,-33,127,128,255,256,65535,65536,2147483647,2147483648,-2147483648,-2147483649,4294967295,4294967296,` +
			`9007199254740991,-9007199254740991,9007199254740993,0.5,-0.1,1e-7,5e-324,123456.789]`
		p.emits(t, nodes.Q{}, "numbers", args, p.all())
		p.emits(t, nodes.Q{}, "numbers with bytes", strings.TrimSuffix(args, "]")+`,{"$bin":"AQI="}]`, p.all())
	}},
	{"huge numbers", hugeNumbers},
	{"dates", func(t *testing.T, p *pair) {
		for _, date := range []string{"2020-01-02T03:04:05.678Z", "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2038-01-19T03:14:08.000Z", "2600-05-06T07:08:09.010Z"} {
			p.emitsAs(t, nodes.Q{}, "date "+date, `[{"$date":"`+date+`"}]`, `["`+date+`"]`, p.all())
			p.emitsAs(t, nodes.Q{}, "date with bytes "+date, `[{"$date":"`+date+`"},{"$bin":"AQI="}]`, `["`+date+`",{"$bin":"AQI="}]`, p.all())
		}
	}},
	{"undefined", func(t *testing.T, p *pair) {
		p.emitsAs(t, nodes.Q{}, "undefined", `[{"$undefined":true},1]`, `[null,1]`, p.all())
	}},
	{"large arguments", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{}, "large text", `["`+strings.Repeat("0123456789", 20_000)+`"]`, p.all())
		p.emits(t, nodes.Q{}, "large bytes", `[{"$bin":"`+base64.StdEncoding.EncodeToString(make([]byte, 150_000))+`"}]`, p.all())
	}},
	{"many arguments", func(t *testing.T, p *pair) {
		p.emits(t, nodes.Q{}, "many", `[0`+strings.Repeat(`,"x"`, 99)+`]`, p.all())
		p.emits(t, nodes.Q{}, "many bytes", `[0`+strings.Repeat(`,{"$bin":"AQI="}`, 10)+`]`, p.all())
	}},
}

// hugeNumbers: integral numbers from 2^64 on. The npm package notepack.io, which
// the classic flavour writes everything with and the sharded one what holds
// bytes, writes them as wrong integers.
func hugeNumbers(t *testing.T, p *pair) {
	for _, n := range []string{"18446744073709551616", "1e21", "-1e300", "1.7976931348623157e308"} {
		local := only(p.a1, p.a2)
		remote := only(p.b1, p.b2)
		event := "huge " + n
		p.call(t, "emit", nodes.Q{"event": event, "args": json.RawMessage("[" + n + "]")})
		nodes.Fence(t, p.a, p.nsp, p.clients()...)
		if p.a.Kind == nodes.Official && p.flavour == nodes.Classic {
			for c := range remote {
				if got := c.Args(event); len(got) != 1 || got[0] == nodes.Canon(t, []byte("["+n+"]")) {
					t.Errorf("%s heard %q: the official codec is right now", c.Name, got)
				}
			}
			remote = nil
		}
		for _, want := range []map[*nodes.Client]int{local, remote} {
			for c := range want {
				if got := c.Args(event); len(got) != 1 || got[0] != nodes.Canon(t, []byte("["+n+"]")) {
					t.Errorf("%s heard %q, want %s", c.Name, got, n)
				}
			}
		}
	}
}
