package link

import (
	"net"
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

// outcome is what became of a batch that did not go through as a whole. Each
// list is in the order of the batch.
type outcome struct {
	taken    []*entry // carried out
	refused  []*entry // with an error of Redis that stays
	unknown  []*entry // sent, not answered, and not to be repeated
	keep     []*entry // to be sent, again or for the first time
	broken   bool     // the connection
	pause    bool     // the server refuses for the moment
	redirect bool     // routes have changed
}

// settle deals with a batch of which so many bytes were written.
func (l *lane) settle(written int64) {
	var o outcome
	end := int64(0)
	for _, e := range l.batch {
		end += e.length()
		if e.answered() {
			l.judge(&o, e)
		} else {
			o.broken = true
			l.unanswered(&o, e, end <= written)
		}
	}
	overtaken := o.overtaken()
	w := l.w
	w.mu.Lock()
	for range len(overtaken) + len(o.unknown) {
		w.lose()
	}
	w.mu.Unlock()
	w.count.published.Add(int64(len(o.taken)))
	w.count.refused.Add(int64(len(o.refused)))
	w.count.ambiguous.Add(int64(len(o.unknown)))
	broken := l.firstError(o.broken)
	w.finish(o.taken, nil)
	w.finish(o.refused, nil)
	w.finish(o.unknown, ErrUnanswered)
	w.finish(overtaken, ErrOvertaken)
	l.requeue(o.keep)
	if o.broken {
		l.broken(broken)
		if l.fails++; l.fails > 1 && len(o.taken) == 0 {
			o.pause = true
		}
	}
	if o.pause {
		l.pause()
	}
	switch {
	case o.broken || o.pause || o.redirect:
		l.reroute()
	default:
		l.good()
	}
}

// firstError returns why the connection broke.
func (l *lane) firstError(broken bool) error {
	for _, e := range l.batch {
		if err := e.cmd.Err(); broken && err != nil && !isRefusal(err) {
			return err
		}
	}
	return nil
}

// unanswered deals with a command whose answer did not come.
func (l *lane) unanswered(o *outcome, e *entry, sent bool) {
	switch {
	case !sent:
		o.keep = append(o.keep, e)
	case e.retry && e.sent < maxSends:
		e.sent++
		o.keep = append(o.keep, e)
	default:
		o.unknown = append(o.unknown, e)
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
		o.keep = append(o.keep, e)
		return
	}
	if temporary(err) && l.w.ctx.Err() == nil {
		if e.refused.IsZero() {
			e.refused = time.Now()
		}
		if time.Since(e.refused) < l.w.c.refusedTimeout() {
			o.keep = append(o.keep, e)
			o.pause = true
			o.broken = o.broken || redis.IsReadOnlyError(err) // another server may have taken over
			return
		}
	}
	o.refused = append(o.refused, e)
}

// overtaken takes the commands out of keep that Redis refused for the moment,
// that are not to be repeated, and of whose key a later one was carried out: to
// send them now would break the order.
func (o *outcome) overtaken() (list []*entry) {
	if len(o.taken) == 0 || !o.pause && !o.redirect {
		return nil
	}
	position := make(map[string]int, len(o.taken))
	for _, e := range o.taken {
		position[e.key] = max(position[e.key], e.position)
	}
	kept := o.keep[:0]
	for _, e := range o.keep {
		if !e.retry && e.answered() && position[e.key] > e.position {
			list = append(list, e)
		} else {
			kept = append(kept, e)
		}
	}
	o.keep = kept
	return list
}

// temporary reports whether a server that refused a command may take it soon.
func temporary(err error) bool {
	return redis.IsLoadingError(err) || redis.IsReadOnlyError(err) || redis.IsClusterDownError(err) ||
		redis.IsMasterDownError(err) || redis.IsTryAgainError(err) || redis.HasErrorPrefix(err, "BUSY ")
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
