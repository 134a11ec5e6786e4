package main

import (
	"fmt"
	"path/filepath"
)

// idle measures the memory of connections that do nothing, without deflate.
func (p plan) idle() error {
	tables := map[string]*table{}
	names := []string{"after connect", "after one echo each", "after GC", "after GC, heap and stack in use"}
	for _, n := range names {
		tables[n] = newTable(fmt.Sprintf("%d idle connections, %s", p.idleConns, n), "bytes resident a connection", p.libs)
	}
	tables[names[3]].unit = "bytes a connection"
	m := newMessage(64)
	for range p.idleRounds {
		for _, lib := range p.libs {
			got, err := p.rest(lib, "off", p.idleConns, func(conns []*conn) error { return echoOnce(conns, m) })
			if err != nil {
				return err
			}
			for i, n := range names {
				tables[n].add(lib, got[i])
			}
		}
	}
	for _, n := range names {
		tables[n].print()
	}
	return p.heaps(m)
}

// heaps writes what idle connections keep, from a run in which every
// allocation is noted.
func (p plan) heaps(m *message) error {
	if p.profiles == "" {
		return nil
	}
	for _, lib := range p.libs {
		if err := p.heap(lib, m); err != nil {
			return fmt.Errorf("%s: %w", lib, err)
		}
	}
	return nil
}

func (p plan) heap(lib string, m *message) error {
	s, err := start(p.program, lib, "off", p.pinned, "-memprofilerate", "1")
	if err != nil {
		return err
	}
	defer s.stop()
	conns, err := dialAll(s.addr, "/echo", p.deflateConns, false)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	if err := echoOnce(conns, m); err != nil {
		return err
	}
	_, err = s.command("heap " + filepath.Join(p.profiles, lib+"-idle.pprof"))
	return err
}

// variant is a library with a way of compressing.
type variant struct{ lib, mode string }

func (v variant) name() string { return v.lib + " " + v.mode }

// deflateVariants are those that are measured. Takeover of coder is left out: it
// keeps more than a megabyte a connection.
func (p plan) deflateVariants() (all []variant) {
	for _, lib := range p.libs {
		for _, mode := range []string{"off", "no-takeover", "takeover"} {
			if lib != "coder" || mode != "takeover" {
				all = append(all, variant{lib, mode})
			}
		}
	}
	return all
}

// deflates measures what idle connections keep because of deflate.
func (p plan) deflates() error {
	all := texts(8, 600)
	variants := p.deflateVariants()
	var names []string
	for _, v := range variants {
		names = append(names, v.name())
	}
	title := fmt.Sprintf("%d idle connections that echoed %d texts of 600 B, after GC", p.deflateConns, len(all))
	resident := newTable(title, "bytes resident a connection", names)
	inUse := newTable(title, "bytes of heap and stack a connection", names)
	for range p.idleRounds {
		for _, v := range variants {
			got, err := p.rest(v.lib, v.mode, p.deflateConns, func(conns []*conn) error { return echoTexts(conns, all, v.mode != "off") })
			if err != nil {
				return err
			}
			resident.add(v.name(), got[2])
			inUse.add(v.name(), got[3])
		}
	}
	resident.print()
	inUse.print()
	for _, v := range variants {
		if v.mode != "off" {
			resident.more(v.name(), v.lib+" off")
			inUse.more(v.name(), v.lib+" off")
		}
	}
	return nil
}

// rest has a fresh server bear n connections and returns bytes for each:
// resident after connecting, after traffic and after garbage collection, and heap
// and stack in use after that.
func (p plan) rest(lib, mode string, n int, traffic func([]*conn) error) (got [4]float64, err error) {
	fail := func(err error) ([4]float64, error) { return got, fmt.Errorf("%s, %s: %w", lib, mode, err) }
	s, err := start(p.program, lib, mode, p.pinned)
	if err != nil {
		return fail(err)
	}
	defer s.stop()
	before, err := s.collect()
	if err != nil {
		return fail(err)
	}
	conns, err := dialAll(s.addr, "/echo", n, mode != "off")
	if err != nil {
		return fail(err)
	}
	defer closeAll(conns)
	connected, err := s.rss()
	if err != nil {
		return fail(err)
	}
	if err := traffic(conns); err != nil {
		return fail(err)
	}
	busy, err := s.rss()
	if err != nil {
		return fail(err)
	}
	after, err := s.collect()
	if err != nil {
		return fail(err)
	}
	each := func(bytes float64) float64 { return bytes / float64(n) }
	return [4]float64{
		each(connected - before.RSS), each(busy - before.RSS), each(after.RSS - before.RSS),
		each(after.Heap + after.Stack - before.Heap - before.Stack),
	}, nil
}
