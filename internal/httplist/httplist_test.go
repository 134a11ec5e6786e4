package httplist

import "testing"

func TestHas(t *testing.T) {
	for _, c := range []struct {
		lists []string
		want  bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"upgrade"}, true},
		{[]string{"keep-alive,\tUPGRADE ,"}, true},
		{[]string{"keep-alive", ", ,Upgrade"}, true},
		{[]string{"upgraded, up grade"}, false},
	} {
		if got := Has(c.lists, "upgrade"); got != c.want {
			t.Errorf("%q: %v", c.lists, got)
		}
	}
}

func TestFind(t *testing.T) {
	long := func(e string) bool { return len(e) > 1 }
	for want, lists := range map[string][]string{"": {"a", "b, c"}, "bc": {"a,\t bc ,de"}, "de": {"a", " de"}} {
		if got := Find(lists, long); got != want {
			t.Errorf("%q: %q, want %q", lists, got, want)
		}
	}
}
