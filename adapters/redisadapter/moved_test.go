package redisadapter

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// Rooms are moved for a while, and all of them when there are too many to tell.
func TestMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m moved
		want := func(room string, want bool) {
			t.Helper()
			if got := m.has(room); got != want {
				t.Errorf("%s moved: %v, want %v", room, got, want)
			}
		}
		want("a", false)
		m.add([]string{"a", "b"}, time.Now())
		want("a", true)
		want("c", false)
		time.Sleep(movedFor - time.Second)
		m.add([]string{"c"}, time.Now())
		time.Sleep(2 * time.Second)
		want("a", false)
		want("c", true)
		time.Sleep(movedFor)
		want("c", false)
		if m.rooms != nil || m.until.Load() != 0 {
			t.Error("something is kept")
		}
		for i := range maxMoved + 1 {
			m.add([]string{strconv.Itoa(i)}, time.Now())
		}
		want("any", true)
		time.Sleep(movedFor + 1)
		want("any", false)
	})
}
