package nodes

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ParseURL returns what makes a client of the Redis that url names:
//
//	redis://[user:password@]host[:port][/db]                     one server
//	redis://host1:port,host2:port                                a Cluster, by some of its nodes
//	redis+cluster://host:port                                    a Cluster, by one of them
//	redis+sentinel://host1:port,host2:port[/db]?master_name=m    the master that the sentinels name
//	unix:///path/to/socket[?db=n]                                one server
//
// With rediss instead of redis the connections are encrypted. The options of
// go-redis may follow the question mark, as in ?dial_timeout=3s. The client does
// not connect before it is used.
func ParseURL(url string) (dial func() redis.UniversalClient, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("nodes: the address of Redis: %w", err)
		}
	}()
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return nil, errors.New("it does not begin with redis:// or the like")
	}
	plain, kind, _ := strings.Cut(scheme, "+")
	if plain != "redis" && plain != "rediss" && (plain != "unix" || kind != "") {
		return nil, errors.New("its scheme is none of redis, rediss, unix, redis+cluster, redis+sentinel")
	}
	if plain != "unix" {
		rest, ok = spread(rest)
		if ok && kind == "" {
			kind = "cluster"
		}
	}
	return parse(plain+"://"+rest, kind)
}

// parse reads a URL in the form of go-redis. Its errors may quote the URL, whose
// password is nobody's business, so they are not passed on.
func parse(url, kind string) (func() redis.UniversalClient, error) {
	unusable := errors.New("it cannot be made sense of")
	switch kind {
	case "":
		o, err := redis.ParseURL(url)
		if err != nil {
			return nil, unusable
		}
		return func() redis.UniversalClient { return redis.NewClient(o) }, nil
	case "cluster":
		o, err := redis.ParseClusterURL(url)
		if err != nil {
			return nil, unusable
		}
		return func() redis.UniversalClient { return redis.NewClusterClient(o) }, nil
	case "sentinel":
		o, err := redis.ParseFailoverURL(url)
		if err != nil {
			return nil, unusable
		}
		if o.MasterName == "" {
			return nil, errors.New("sentinels have to be asked for a name: ?master_name=")
		}
		return func() redis.UniversalClient { return redis.NewFailoverClient(o) }, nil
	}
	return nil, errors.New("it is neither that of a Cluster nor of sentinels")
}

// spread moves the addresses behind the first one to where go-redis looks for
// them: a,b/0 becomes a/0?addr=b.
func spread(rest string) (spreaded string, several bool) {
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndex(rest[:end], "@") + 1 // a password may have commas
	first, others, several := strings.Cut(rest[at:end], ",")
	if !several {
		return rest, false
	}
	path, query, _ := strings.Cut(rest[end:], "?")
	for addr := range strings.SplitSeq(others, ",") {
		if query != "" {
			query += "&"
		}
		if strings.LastIndexByte(addr, ':') <= strings.LastIndexByte(addr, ']') {
			addr += ":6379" // which go-redis adds to the first alone
		}
		query += "addr=" + addr
	}
	return rest[:at] + first + path + "?" + query, true
}
