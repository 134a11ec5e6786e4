package engineio

import (
	"net/url"
	"strings"
	"testing"
)

const jsonpQuery = pollingQuery + "&j=0"

// compat: JSONP polling
func TestJSONP(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		res := w.request("GET", pollingQuery+"&j=a1-2%5B(", "", "User-Agent: Mozilla/4.0 (compatible;MSIE 8.0)")
		if !strings.HasPrefix(res.body, `___eio[12]("0{\"sid\":\"`) || !strings.HasSuffix(res.body, `}");`) ||
			res.header.Get("Content-Type") != "text/plain; charset=UTF-8" || res.header.Get("X-XSS-Protection") != "0" {
			t.Errorf("only the digits of j are used: %+v", res)
		}
		p := w.pollerWith(jsonpQuery)
		s := w.h.session(1)
		text := "\"\\\u2028\u2029<é😀\x00\b\t\n\v\f\r\x1f\x7f"
		_ = s.Send(0, Message{Data: []byte(text)}, Message{Binary: true, Data: []byte{1}})
		p.get(`___eio[0]("4\"\\\u2028\u2029<é😀\u0000\b\t\n\u000b\f\r\u001f`+"\x7f"+`\u001ebAQ==");`, "a string of JavaScript")
		get := p.begin()
		s.Close(false)
		if res := get.wait(); res.body != `___eio[0]("1");` {
			t.Errorf("%+v", res)
		}
	})
}

func TestJSONPPost(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.pollerWith(jsonpQuery)
		for _, c := range []struct{ form, data string }{
			{"d=" + url.QueryEscape("4a"), "a"},
			{"d=4a+b%20c", "a b c"},
			{"x=1&d=4é&y", "é"},
			{"%64=4" + url.QueryEscape("😀&="), "😀&="},
			{"d=4" + url.QueryEscape(`a\nb`), "a\nb"},
			{"d=4" + url.QueryEscape(`a\\nb`), `a\nb`},
			{"d=4" + url.QueryEscape(`a\\\nb\`), `a\` + `\n` + `b\`},
			{"d=4%zz%4", "%zz%4"},
		} {
			p.post(c.form)
			w.want(c.form, append(opened(c.data == "a"), "text "+c.data)...)
		}
		for _, form := range []string{"", "4a", "e=4a", "d=4a&d=4b"} {
			p.post(form)
			w.want("no field d, or several: "+form, []string{}...)
		}
		p.post("d=4a%1E4b%1EbAQ%3D%3D")
		w.want("a payload", "text a", "text b", "binary 01")
		p.post("d")
		w.want("an empty payload", "close: parse error")
	})
}

func opened(first bool) []string {
	if first {
		return []string{"open"}
	}
	return nil
}

func TestJSONPLimits(t *testing.T) {
	scenario(t, Config{MaxHTTPBufferSize: 10}, func(w *world) {
		p := w.pollerWith(jsonpQuery)
		if res := w.request("POST", p.query(), "d=4aaaaaaaa"); res.status != 413 || res.body != "" {
			t.Errorf("the limit is that of the body: %+v", res)
		}
		p.post("d=4aaaaaaa")
		w.want("exactly the limit", "open", "text aaaaaaa")
		if res := w.request("POST", p.query(), "d=4a", "Content-Type: application/octet-stream"); res.status != 400 {
			t.Errorf("a binary body: %+v", res)
		}
		w.want("a binary body", "close: transport error")
	})
}

func TestJSONPEIO3(t *testing.T) {
	scenario(t, Config{AllowEIO3: true}, func(w *world) {
		p := w.pollerWith(polling3 + "&j=3")
		_ = w.h.session(0).Send(0, Message{Data: []byte("é")}, Message{Binary: true, Data: []byte{1}})
		p.get(`___eio[3]("2:4é6:b4AQ==");`, "bytes are text, whether b64 was asked for or not")
		p.post("d=" + url.QueryEscape(`3:4\n😀`+`4:4\\n`+"1:2"))
		w.want("lengths are of what the client meant", "open", "close: parse error")
		p = w.pollerWith(polling3 + "&j=3")
		p.post("d=" + url.QueryEscape(`4:4\n😀`+`3:4\\n`+"1:2"))
		w.want("an escaped newline", "open", "text \n😀", `text \n`)
		p.get(`___eio[3]("1:3");`, "a pong")
		if res := w.request("POST", p.query(), "1:2", "Content-Type: application/octet-stream"); res.body != "ok" {
			t.Errorf("%+v", res)
		}
		w.want("bytes are no form", []string{}...)
	})
}

// The upgrade from JSONP is as any.
func TestJSONPUpgrade(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		p := w.pollerWith(jsonpQuery)
		get := p.begin()
		c := p.probe()
		c.send("2probe")
		c.want("3probe", "probe")
		if res := get.wait(); res.body != `___eio[0]("6");` {
			t.Errorf("%+v", res)
		}
		c.send("5", "4a")
		_ = w.h.session(0).Send(0, Message{Binary: true, Data: []byte{1}})
		c.want("binary 01", "frames are as any")
		w.want("messages too", "open", "text a")
	})
}

func FuzzJSONPForm(f *testing.F) {
	f.Add([]byte("a=b&d=4%5Cn%5C%5Cn+%41"))
	f.Add([]byte("d=1&d=2"))
	f.Fuzz(func(t *testing.T, form []byte) {
		q, err := url.ParseQuery(string(form))
		d, ok := formField(form)
		if err == nil && !strings.Contains(string(form), ";") {
			if want := q["d"]; ok != (len(want) == 1) || ok && string(d) != want[0] {
				t.Fatalf("%q, %v, want %q", d, ok, want)
			}
		}
		if n := len(unescapeNewlines(d)); n > len(d) {
			t.Fatalf("%d bytes of %d", n, len(d))
		}
	})
}
