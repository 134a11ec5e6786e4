package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	index := func(ok, informational int, further string) []byte {
		var cases []string
		for i := range ok {
			cases = append(cases, fmt.Sprintf(`"1.%d":{"behavior":"OK","behaviorClose":"OK"}`, i))
		}
		for i := range informational {
			cases = append(cases, fmt.Sprintf(`"7.%d":{"behavior":"INFORMATIONAL","behaviorClose":"INFORMATIONAL"}`, i))
		}
		if further != "" {
			cases = append(cases, fmt.Sprintf(`"x":%s`, further))
		}
		return []byte(`{"us":{` + strings.Join(cases, ",") + `}}`)
	}
	for name, c := range map[string]struct {
		index []byte
		ok    bool
	}{
		"all":             {index(514, 3, ""), true},
		"one is missing":  {index(513, 3, ""), false},
		"none at all":     {[]byte(`{}`), false},
		"not JSON":        {[]byte(`<html>`), false},
		"non-strict":      {index(513, 3, `{"behavior":"NON-STRICT","behaviorClose":"OK"}`), false},
		"wrong close":     {index(513, 3, `{"behavior":"OK","behaviorClose":"WRONG CODE"}`), false},
		"failed":          {index(514, 3, `{"behavior":"FAILED","behaviorClose":"OK"}`), false},
		"too many at all": {index(515, 3, ""), false},
	} {
		if err := judge(io.Discard, c.index, "us"); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
