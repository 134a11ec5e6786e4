package wscore

import (
	"bufio"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/await"
	"github.com/hermod-io/hermod/internal/bufpool"
)

// parked is how many connections have a place in the lot.
func (s *Server) parked() int {
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	return s.lot.n
}

// resting is a server that parks connections as soon as it can.
func resting(t *testing.T) *Server {
	t.Helper()
	s := NewServer(Settings{CloseTimeout: time.Second})
	s.parking = parking{silence: time.Millisecond, pause: time.Millisecond, young: time.Millisecond, long: time.Millisecond, least: 1}
	t.Cleanup(func() { closeServer(t, s) })
	return s
}

// rester is a connection to it, and its client.
type rester struct {
	member
	in *bufio.Reader
}

func newRester(t *testing.T, s *Server, l net.Listener) rester {
	t.Helper()
	client, end := tcpPair(t, l)
	m := rester{member{client: client, end: end, rec: &recorder{}}, bufio.NewReader(client)}
	m.conn = s.NewConn(end)
	m.rec.onMessage = func(op Opcode, data []byte) { _ = m.conn.Send(op, data) }
	m.conn.Serve(m.rec)
	return m
}

// echo sends a message and waits for it.
func (m rester) echo(t *testing.T, message string) {
	t.Helper()
	if _, err := m.client.Write(text(message)); err != nil {
		t.Error(err)
		return
	}
	if _, got, err := readServerFrame(m.in); err != nil || string(got) != message {
		t.Errorf("got %q, %v, want %q", got, err, message)
	}
}

// A silent connection has no goroutine, and answers as others do.
func TestParkedHasNoGoroutine(t *testing.T) {
	const n = 100
	s, l := resting(t), listen(t)
	before := runtime.NumGoroutine()
	var all []rester
	for range n {
		all = append(all, newRester(t, s, l))
	}
	for round := range 3 {
		await.Until(t, "all are parked", func() bool { return s.parked() == n && runtime.NumGoroutine() <= before+10 }, func() string {
			return fmt.Sprintf("round %d: %d of %d are parked, %d goroutines, before %d", round, s.parked(), n, runtime.NumGoroutine(), before)
		})
		for i, m := range all {
			m.echo(t, fmt.Sprint(round, i))
		}
	}
	await.Until(t, "all are parked", func() bool { return s.parked() == n }, func() string { return fmt.Sprint(s.parked(), " are parked") })
	if err := all[0].conn.Send(OpText, []byte("unasked")); err != nil {
		t.Error(err)
	}
	if _, got, err := readServerFrame(all[0].in); err != nil || string(got) != "unasked" {
		t.Errorf("a parked one is sent %q, %v", got, err)
	}
}

// One that has said little is parked soon, at first and again and again; one that says
// much is not any more.
func TestYoungAreParkedSoon(t *testing.T) {
	s, l := resting(t), listen(t)
	s.parking.silence, s.parking.pause = time.Hour, time.Hour
	m := newRester(t, s, l)
	for read := range youngReads - 1 {
		await.Until(t, "it is parked", func() bool { return s.parked() == 1 }, func() string { return fmt.Sprint("after reads: ", read) })
		m.echo(t, fmt.Sprint(read))
	}
	for _, young := range []bool{true, false} {
		c := &Conn{grp: &s.group}
		want := s.parking.young
		if !young {
			c.reads, want = youngReads, time.Hour
		}
		if got := c.orYoung(time.Hour); got != want {
			t.Errorf("young %v: %v, want %v", young, got, want)
		}
	}
}

// asleep has everybody who is parked have slept for a day.
func (s *Server) asleep() {
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	for _, c := range s.lot.places {
		if c != nil {
			c.moved -= uint32((24 * time.Hour).Milliseconds())
		}
	}
}

// sleepers is how many of them nothing has woken since then.
func (s *Server) sleepers() (n int) {
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	for _, c := range s.lot.places {
		if c != nil && c.now()-c.moved > uint32((12*time.Hour).Milliseconds()) {
			n++
		}
	}
	return n
}

// Who has slept for long is parked again behind what woke it, and not awaited; who has
// not is.
func TestSleepersAreParkedAtOnce(t *testing.T) {
	s, l := resting(t), listen(t)
	s.parking.pause, s.parking.long = time.Hour, time.Hour
	m := newRester(t, s, l)
	for i := range youngReads {
		m.echo(t, fmt.Sprint("young ", i))
	}
	for round := range 3 {
		await.Until(t, "it is parked", func() bool { return s.parked() == 1 }, func() string { return fmt.Sprint("after round ", round) })
		s.asleep()
		m.echo(t, fmt.Sprint(round))
	}
	await.Until(t, "it is parked", func() bool { return s.parked() == 1 }, func() string { return "at the end" })
	m.echo(t, "soon after")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 20 {
		if <-tick.C; s.parked() != 0 {
			t.Fatal("it is parked an hour early")
		}
	}
}

// What wakes a sleeper may be a part of a message: more is about to come, and is awaited.
func TestSleeperHearsAPart(t *testing.T) {
	s, l := resting(t), listen(t)
	m := newRester(t, s, l)
	whole := text("in two parts")
	for n := 1; n < len(whole); n++ {
		await.Until(t, "it is parked", func() bool { return s.parked() == 1 }, func() string { return fmt.Sprint("part of ", n) })
		s.asleep()
		if _, err := m.client.Write(whole[:n]); err != nil {
			t.Fatal(err)
		}
		await.Until(t, "it is parked again", func() bool { return s.parked() == 1 && s.sleepers() == 0 }, func() string { return fmt.Sprint("part of ", n) })
		if _, err := m.client.Write(whole[n:]); err != nil {
			t.Fatal(err)
		}
		if _, got, err := readServerFrame(m.in); err != nil || string(got) != "in two parts" {
			t.Fatalf("part of %d: got %q, %v", n, got, err)
		}
	}
	d := new(deadlines)
	c := &Conn{grp: &s.group, rwc: d, rest: restBrief}
	c.parser.masked = true
	if _, _, err := c.parser.next(whole[:3]); err != nil {
		t.Fatal(err)
	}
	if c.parkAgain() || d.last.IsZero() {
		t.Error("the rest of it is not awaited")
	}
	d = new(deadlines)
	c = &Conn{grp: &s.group, rwc: d, rest: restBrief, n: bufpool.Medium}
	if c.parkAgain() || d.last.IsZero() {
		t.Error("what did not fit into the buffer is not awaited")
	}
}

// Who sleeps and wakes to something that takes long is read by another goroutine
// meanwhile, which parks it as well.
func TestSleeperIsReadOn(t *testing.T) {
	s, l := resting(t), listen(t)
	s.parking.pause = time.Hour
	m := newRester(t, s, l)
	for i := range youngReads {
		m.echo(t, fmt.Sprint("young ", i))
	}
	await.Until(t, "it is parked", func() bool { return s.parked() == 1 })
	s.asleep()
	release := make(chan struct{})
	ran := make(chan bool, 1)
	m.rec.mu.Lock()
	m.rec.onMessage = func(op Opcode, data []byte) {
		if string(data) == "go" {
			ran <- m.conn.RunNext(runFunc(func() { <-release }))
		}
		_ = m.conn.Send(op, data)
	}
	m.rec.mu.Unlock()
	m.echo(t, "go")
	if !<-ran {
		t.Error("RunNext was refused")
	}
	await.Until(t, "it is parked", func() bool { return s.parked() == 1 })
	m.echo(t, "meanwhile")
	close(release)
}

// All wake at once: only so many have a goroutine at a time.
func TestWakersTakeTurns(t *testing.T) {
	const n = 600
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s, l := resting(t), listen(t)
	s.parking = parking{silence: time.Hour, pause: time.Hour, young: 10 * time.Millisecond, long: time.Second, least: 1}
	var all []rester
	for range n {
		all = append(all, newRester(t, s, l))
	}
	await.Until(t, "all are parked", func() bool { return s.parked() == n }, func() string { return fmt.Sprint(s.parked(), " are parked") })
	var most atomic.Int64
	for _, m := range all {
		m.rec.mu.Lock()
		m.rec.onMessage = func(Opcode, []byte) { most.Store(max(most.Load(), int64(runtime.NumGoroutine()))) }
		m.rec.mu.Unlock()
	}
	s.asleep()
	for _, m := range all {
		if _, err := m.client.Write(text("up")); err != nil {
			t.Fatal(err)
		}
	}
	await.Until(t, "all are parked again", func() bool { return s.parked() == n && s.sleepers() == 0 }, func() string { return fmt.Sprint(s.parked(), " are parked, ", s.sleepers(), " since before") })
	if got := most.Load(); got > n/2 {
		t.Errorf("%d goroutines at once", got)
	}
}

// deadlines is a stream that notes how long it is to wait.
type deadlines struct {
	net.Conn
	last time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.last = t; return nil }

// Where there is no room to park, that is looked for seldom, also by the young.
func TestNoRoomToPark(t *testing.T) {
	s := NewServer(Settings{})
	t.Cleanup(func() { closeServer(t, s) })
	s.parking = parking{silence: time.Hour, pause: time.Minute, young: time.Second, least: 0}
	s.lot.broken = true
	d := new(deadlines)
	c := &Conn{grp: &s.group, rwc: d}
	if c.park() {
		t.Fatal("it is parked")
	}
	if wait := time.Until(d.last); wait < time.Minute {
		t.Errorf("it is looked for again in %v", wait)
	}
}

// However a parked connection ends, its Protocol hears of it, once, and nothing is
// left.
func TestParkedIsClosed(t *testing.T) {
	for name, end := range map[string]func(m rester){
		"peer FIN":  func(m rester) { _ = m.client.Close() },
		"peer RST":  func(m rester) { _ = m.client.(*net.TCPConn).SetLinger(0); _ = m.client.Close() },
		"peer says": func(m rester) { _, _ = m.client.Write(closeFrame(CloseNormal, "")) },
		"Close":     func(m rester) { _ = m.conn.Close(CloseNormal, "") }, // the peer says nothing
		"CloseNow":  func(m rester) { _ = m.conn.CloseNow() },
		"server":    nil,
	} {
		t.Run(name, func(t *testing.T) { testParkedIsClosed(t, resting(t), end) })
		t.Run(name+", sleeper", func(t *testing.T) {
			s := resting(t)
			s.parking.long = -time.Millisecond // all have slept for longer
			testParkedIsClosed(t, s, end)
		})
	}
}

func testParkedIsClosed(t *testing.T, s *Server, end func(m rester)) {
	l := listen(t)
	var all []rester
	for range 20 {
		all = append(all, newRester(t, s, l))
	}
	await.Until(t, "all are parked", func() bool { return s.parked() == len(all) }, func() string { return fmt.Sprint(s.parked(), " are parked") })
	for _, m := range all {
		if end != nil {
			end(m)
		}
	}
	if end == nil {
		closeServer(t, s)
	}
	for i, m := range all {
		await.Until(t, fmt.Sprint(i, " is closed"), func() bool { n, _ := m.rec.closed(); return n > 0 })
	}
	closeServer(t, s)
	for i, m := range all {
		if n, why := m.rec.closed(); n != 1 {
			t.Errorf("%d heard %d times of its end, %v", i, n, why)
		}
	}
	if s.lot.epoll != nil || s.lot.n != 0 || s.Conns() != 0 {
		t.Errorf("the lot has %d places taken, the server %d connections", s.lot.n, s.Conns())
	}
}

// Messages come while connections are about to be parked, and both sides close
// them then, and others get their descriptors: nothing is lost and nobody stays.
func TestParkingLosesNothing(t *testing.T) {
	for _, long := range []time.Duration{time.Hour, time.Millisecond, -time.Millisecond} { // nobody, some, all have slept for longer
		t.Run(long.String(), func(t *testing.T) {
			s := resting(t)
			s.parking.long = long
			testParkingLosesNothing(t, s)
		})
	}
}

func testParkingLosesNothing(t *testing.T, s *Server) {
	const clients, lives, messages = 16, 12, 30
	l := listen(t)
	var pairs sync.Mutex // so that both ends are of one connection
	var all sync.WaitGroup
	for who := range clients {
		all.Go(func() {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for life := range lives {
				pairs.Lock()
				m := newRester(t, s, l)
				pairs.Unlock()
				for i := range messages {
					m.echo(t, fmt.Sprint(who, life, i))
					for range (who + i) % 4 {
						<-tick.C
					}
				}
				if (who+life)%2 == 0 {
					_ = m.conn.CloseNow()
				} else {
					_ = m.client.Close()
				}
				await.Until(t, fmt.Sprint(who, " is closed"), func() bool { n, _ := m.rec.closed(); return n == 1 })
			}
		})
	}
	all.Wait()
	closeServer(t, s)
	if s.lot.epoll != nil || s.Conns() != 0 {
		t.Errorf("the lot is open, or %d connections are", s.Conns())
	}
}

// Few connections are not parked.
func TestFewAreNotParked(t *testing.T) {
	s, l := resting(t), listen(t)
	s.parking.least = 3
	for range 2 {
		newRester(t, s, l)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 20 {
		if <-tick.C; s.parked() != 0 {
			t.Fatal("two are parked, three must be there")
		}
	}
	newRester(t, s, l)
	await.Until(t, "three are parked", func() bool { return s.parked() == 3 }, func() string { return fmt.Sprint(s.parked(), " are parked") })
}

// A reader was about to arm its connection when an event for who had the place
// before took that out of it; another reader parked it elsewhere, and only then
// the first armed it, for the place that it did not have any more: nobody was
// woken by what came.
func TestParkedElsewhereMeanwhile(t *testing.T) {
	s, l := resting(t), listen(t)
	newRester(t, s, l) // keeps the lot open
	other, m := newRester(t, s, l), newRester(t, s, l)
	await.Until(t, "three are parked", func() bool { return s.parked() == 3 }, func() string { return fmt.Sprint(s.parked(), " are parked") })
	s.lot.leave(other.conn)
	s.lot.leave(m.conn) // from here on the test is its reader
	s.lot.mu.Lock()
	m.conn.parked = false // so that the epoll knows a descriptor that it is thought not to know
	s.lot.mu.Unlock()
	epoll, at, first := s.lot.enter(&s.group, m.conn)
	if !first {
		t.Fatal("its first place is not its first")
	}
	s.lot.leave(m.conn) // because of the event
	if _, its, _ := s.lot.enter(&s.group, other.conn); its != at {
		t.Fatalf("another has the place %d, want %d", its, at)
	}
	if _, _, first := s.lot.enter(&s.group, m.conn); first || !s.lot.leave(m.conn) {
		t.Fatal("its second place is its first")
	}
	if !s.park(m.conn) { // as the other reader
		t.Fatal("it is not parked")
	}
	if !s.arm(m.conn, epoll, at, first) { // as the first one
		t.Fatal("its first reader goes on")
	}
	_ = m.client.SetReadDeadline(time.Now().Add(time.Minute))
	m.echo(t, "it is woken")
}

// A process that had as many files open as it may, when the first connection was to be
// parked, parked none ever after.
func TestParkingWithTooManyFiles(t *testing.T) {
	s, l := resting(t), listen(t)
	s.parking.least = 3
	a, b := newRester(t, s, l), newRester(t, s, l)
	a.echo(t, "one")
	b.echo(t, "two")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	restore := sync.OnceFunc(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	})
	defer restore()
	if epoll, _, _ := s.lot.enter(&s.group, a.conn); epoll != nil {
		t.Fatal("there was a file left")
	}
	restore()
	newRester(t, s, l)
	await.Until(t, "three are parked", func() bool { return s.parked() == 3 }, func() string { return fmt.Sprint(s.parked(), " are parked") })
}
