package adaptertest

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// kept leaves a session where it was when it was restored.
type kept struct{ adapters.Recoverer }

func plantKept(a adapters.Adapter) adapters.Adapter { return kept{a.(adapters.Recoverer)} }

func (k kept) Restore(ctx context.Context, pid, offset string, admit func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	var s adapters.Session
	seq, err := k.Recoverer.Restore(ctx, pid, offset, func(found adapters.Session) adapters.Member {
		s = found
		return admit(s)
	})
	if err == nil {
		k.Save(nil, s)
	}
	return seq, err
}

// gap lets a socket into its rooms when what it missed has been gathered.
type gap struct{ adapters.Recoverer }

func plantGap(a adapters.Adapter) adapters.Adapter { return gap{a.(adapters.Recoverer)} }

func (g gap) Restore(ctx context.Context, pid, offset string, admit func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	var m adapters.Member
	var s adapters.Session
	seq, err := g.Recoverer.Restore(ctx, pid, offset, func(found adapters.Session) adapters.Member {
		s, m = found, admit(found)
		return m
	})
	if err == nil {
		g.LeaveAll(m)
		runtime.Gosched()
		_ = g.Join(ctx, m, s.Rooms...)
		g.Save(m, s)
	}
	return seq, err
}

// inclusive begins with the packet that the client has.
type inclusive struct{ adapters.Recoverer }

func plantInclusive(a adapters.Adapter) adapters.Adapter { return inclusive{a.(adapters.Recoverer)} }

func (i inclusive) Restore(ctx context.Context, pid, offset string, admit func(adapters.Session) adapters.Member) (iter.Seq[*parser.Packet], error) {
	if at := strings.LastIndexByte(offset, '-'); at >= 0 {
		if n, err := strconv.Atoi(offset[at+1:]); err == nil && n > 0 {
			offset = fmt.Sprint(offset[:at+1], n-1)
		}
	}
	return i.Recoverer.Restore(ctx, pid, offset, admit)
}
