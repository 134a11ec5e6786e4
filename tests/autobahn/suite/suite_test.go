package suite

import (
	"flag"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/proc"
	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

var long = flag.Bool("long", false, "the compression cases with all their 1000 messages")

// short is how many bytes a compression case sends if not -long.
const short = 32 << 10

// workers is how many cases run at a time.
const workers = 4

// TestTotals holds the tables to the counts of the Autobahn test suite.
func TestTotals(t *testing.T) {
	got, ids, opens := map[string]int{}, map[string]bool{}, 0
	for _, k := range All() {
		got[k.Group()]++
		if ids[k.ID] {
			t.Errorf("%s is there twice", k.ID)
		}
		ids[k.ID] = true
		if k.Open() {
			opens++
		}
	}
	for g, n := range Totals {
		if got[g] != n {
			t.Errorf("group %s has %d cases, want %d", g, got[g], n)
		}
	}
	if len(ids) != 517 || opens != Opens || len(got) != len(Totals) {
		t.Errorf("%d cases, %d open, %d groups; want 517, %d, %d", len(ids), opens, len(got), Opens, len(Totals))
	}
}

// TestServer runs the cases against echoserver in each of its modes.
func TestServer(t *testing.T) {
	program := proc.Build(t, "./tests/autobahn/echoserver")
	for _, mode := range []string{"off", "no-takeover", "takeover"} {
		t.Run(mode, func(t *testing.T) {
			addr := serve(t, program, "-deflate", mode)
			runAll(t, scaled(mode), func(k Case) error {
				offer := ""
				if k.Zip != nil {
					offer = k.Zip.Offer
				}
				c, err := raw.Dial(addr, offer)
				if err != nil {
					return err
				}
				return Run(c, k)
			})
		})
	}
}

// TestClient runs the cases against echoclient, a process for each.
func TestClient(t *testing.T) {
	program := proc.Build(t, "./tests/autobahn/echoclient")
	runAll(t, scaled("takeover"), func(k Case) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }()
		cmd := exec.Command(program, fmt.Sprintf("ws://%s/runCase?case=%s", l.Addr(), k.ID))
		if err := cmd.Start(); err != nil {
			return err
		}
		timer := time.AfterFunc(raw.Patience, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		failed := play(l, k)
		if err := cmd.Wait(); failed == nil && err != nil {
			return fmt.Errorf("echoclient: %w", err)
		}
		return failed
	})
}

// play is the server's side of a case.
func play(l net.Listener, k Case) error {
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(raw.Patience))
	nc, err := l.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = nc.Close() }()
	c, err := raw.Accept(nc, func(string) string {
		if k.Zip == nil {
			return ""
		}
		return k.Zip.Answer
	})
	if err != nil {
		return err
	}
	return Run(c, k)
}

func serve(t *testing.T, program string, args ...string) (addr string) {
	p := proc.Start(t, proc.Command{Path: program, Args: args})
	return p.WaitFor(`listening on (\S+)`, time.Minute)[1]
}

// scaled are the cases for a mode of the server, in their short form if not -long.
func scaled(mode string) []Case {
	all := All()
	for _, k := range all {
		if k.Zip == nil {
			continue
		}
		k.Zip.Off = mode == "off"
		if k.Zip.Off {
			k.Zip.Count = 2
		} else if !*long {
			k.Zip.Scale(short)
		}
	}
	return all
}

// runAll runs cases, a few at a time, and shows how many passed in each group.
func runAll(t *testing.T, cases []Case, run func(Case) error) {
	var wg sync.WaitGroup
	var mu sync.Mutex // guards passed
	passed := map[string]int{}
	next := make(chan Case)
	for range workers {
		wg.Go(func() {
			for k := range next {
				if err := run(k); err != nil {
					t.Errorf("%s: %v", k.ID, err)
					continue
				}
				mu.Lock()
				passed[k.Group()]++
				mu.Unlock()
			}
		})
	}
	for _, k := range cases {
		next <- k
	}
	close(next)
	wg.Wait()
	sum := 0
	for g, n := range Totals {
		sum += passed[g]
		if passed[g] != n {
			t.Errorf("group %s: %d of %d passed", g, passed[g], n)
		}
	}
	t.Logf("%d cases, %d of them open: passed %v", sum, Opens, passed)
}
