package wheel

import (
	"testing"
	"time"
)

func BenchmarkStartStop(b *testing.B) {
	w := New(time.Second)
	keep, o := new(owner), new(owner)
	keep.start(w, time.Hour)
	defer w.Stop(&keep.timer)
	b.ReportAllocs()
	for b.Loop() {
		w.Start(&o.timer, o, 30*time.Second)
		w.Stop(&o.timer)
	}
}

func BenchmarkRearmAmong100k(b *testing.B) {
	w := New(time.Second)
	all := make([]owner, 100_000)
	for i := range all {
		w.Start(&all[i].timer, &all[i], time.Hour)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Start(&all[i].timer, &all[i], time.Hour)
		if i++; i == len(all) {
			i = 0
		}
	}
	for i := range all {
		w.Stop(&all[i].timer)
	}
}

func BenchmarkNow(b *testing.B) {
	w := New(time.Second)
	o := new(owner)
	o.start(w, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		w.Now()
	}
	w.Stop(&o.timer)
}
