package link

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Bounds of what is tried for one command.
const (
	maxRedirects = 16 // MOVED and ASK that it follows
	maxSends     = 16 // times that it is sent and the connection breaks: perhaps because of it
)

// outcome is what became of a batch that did not go through as a whole.
type outcome struct {
	keep      []*entry // to be sent, again or for the first time; in order
	taken     []*entry // carried out
	refused   int      // failed with an error of Redis that stays
	silent    int      // those of refused that nobody is told of
	refusal   error    // what Redis said last
	ambiguous int      // sent, not answered, and not to be repeated; here and above each command of a batch counts
	broken    bool     // the connection
	refusing  bool     // the server refuses for the moment
	pause     bool     // the next attempt is to come later
	redirect  bool     // routes have changed
}

// retain notes an entry that is to be sent.
func (o *outcome) retain(e *entry) {
	e.kept = true
	o.keep = append(o.keep, e)
}

// settle deals with a batch of which so many bytes were written.
func (l *lane) settle(written int64) {
	var o outcome
	end := int64(0)
	for _, e := range l.batch {
		end += e.length()
		if e.kept = false; e.answered() {
			if e.cmd.Val() != nil {
				e.cmd.SetErr(nil) // go-redis gives it the error of those that were not answered
			}
			l.judge(&o, e)
		} else {
			o.broken = true
			o.unanswered(e, end <= written)
		}
	}
	overtaken := o.overtake()
	var ended []*entry
	for _, e := range l.batch {
		if !e.kept {
			ended = append(ended, e)
		}
	}
	w := l.w
	w.mu.Lock()
	for range o.ambiguous + overtaken {
		w.lose()
	}
	w.mu.Unlock()
	w.carriedOut(o.taken)
	w.count.refused.Add(int64(o.refused))
	w.count.ambiguous.Add(int64(o.ambiguous))
	if o.silent > 0 {
		w.Refused(o.silent, o.refusal)
	}
	cause := l.firstError(&o)
	l.requeue(o.keep)
	w.finish(ended)
	if o.broken {
		l.broken(cause)
		if l.fails++; l.fails > 1 && len(o.taken) == 0 {
			o.pause = true
		}
	}
	if l.refusing = o.refusing; o.refusing {
		pause(w.ctx, nil, l.back.next()) // also when closing: the server is there
	} else if o.pause {
		l.pause()
	}
	if o.broken || o.refusing || o.pause || o.redirect {
		l.reroute()
	} else {
		l.good()
	}
}

// firstError returns why the connection broke, or is given up.
func (l *lane) firstError(o *outcome) error {
	for _, e := range l.batch {
		if err := e.cmd.Err(); o.broken && err != nil && !isRefusal(err) {
			return err
		}
	}
	return o.refusal
}

// unanswered deals with a command whose answer did not come.
func (o *outcome) unanswered(e *entry, sent bool) {
	switch {
	case !sent:
		o.retain(e)
	case e.retry && e.sent < maxSends:
		e.sent++
		o.retain(e)
	default:
		e.failure = ErrUnanswered
		o.ambiguous += e.messages()
	}
}

// judge deals with a command that was answered.
func (l *lane) judge(o *outcome, e *entry) {
	err := e.cmd.Err()
	if err == nil || err == redis.Nil {
		o.taken = append(o.taken, e)
		return
	}
	if slot, addr, ask, ok := redirection(err, l.addr); ok && l.w.routes != nil && e.redirects < maxRedirects {
		if e.redirects++; e.redirects > 3 {
			o.pause = true
		}
		o.redirect = true
		if e.ask = ""; ask {
			e.ask = addr
		} else {
			l.w.top.setMoved(slot, addr)
		}
		o.retain(e)
		return
	}
	if temporary(err) && l.w.ctx.Err() == nil {
		if e.refused.IsZero() {
			e.refused = time.Now()
		}
		if time.Since(e.refused) < l.w.c.refusedTimeout() {
			o.retain(e)
			o.refusing, o.refusal = true, err
			o.broken = o.broken || redis.IsReadOnlyError(err) // another server may have taken over
			return
		}
	}
	o.refused += e.messages()
	o.refusal = err
	for ; e != nil; e = e.next {
		if e.done == nil {
			o.silent++
		}
	}
}

// overtake ends commands that Redis refused for the moment, that are not to be
// repeated, and of whose key a later one was carried out: to send them now would
// break the order. It returns their number, those of a batch each.
func (o *outcome) overtake() (n int) {
	if len(o.taken) == 0 || !o.refusing && !o.redirect {
		return 0
	}
	last := make(map[string]int, len(o.taken))
	for _, e := range o.taken {
		last[e.key] = e.position
	}
	o.keep = slices.DeleteFunc(o.keep, func(e *entry) bool {
		over := !e.retry && e.answered() && last[e.key] > e.position
		if over {
			e.kept, e.failure = false, ErrOvertaken
			n += e.messages()
		}
		return over
	})
	return n
}

// temporary reports whether a server that refused a command may take it soon.
func temporary(err error) bool {
	return redis.IsLoadingError(err) || redis.IsReadOnlyError(err) || redis.IsClusterDownError(err) ||
		redis.IsMasterDownError(err) || redis.IsTryAgainError(err) || redis.IsOOMError(err) || redis.IsNoReplicasError(err) ||
		redis.HasErrorPrefix(err, "BUSY ") || redis.HasErrorPrefix(err, "MISCONF ")
}

// redirection reads "MOVED 3999 127.0.0.1:6381", or ASK, of a server; no host
// means that of the server. Redis Cluster specification, "Redirection".
func redirection(err error, from string) (slot uint16, addr string, ask, ok bool) {
	word, rest, _ := strings.Cut(err.Error(), " ")
	number, addr, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(number, 10, 14)
	colon := strings.LastIndexByte(addr, ':')
	if word != "MOVED" && word != "ASK" || err != nil || colon < 0 {
		return 0, "", false, false
	}
	host, port := strings.Trim(addr[:colon], "[]"), addr[colon+1:]
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(from)
	}
	return uint16(n), net.JoinHostPort(host, port), word == "ASK", true
}
