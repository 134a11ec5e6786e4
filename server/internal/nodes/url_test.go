package nodes

import (
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func client(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	dial, err := ParseURL(url)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	c := dial()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServerURL(t *testing.T) {
	for url, want := range map[string]redis.Options{
		"redis://localhost":                       {Addr: "localhost:6379"},
		"redis://me:a%2Cb@example.org:1/2":        {Addr: "example.org:1", Username: "me", Password: "a,b", DB: 2},
		"rediss://[::1]:2":                        {Addr: "[::1]:2"},
		"redis://:a,b@127.0.0.1:1?dial_timeout=3": {Addr: "127.0.0.1:1", Password: "a,b"},
		"unix:///run/redis.sock?db=1":             {Addr: "/run/redis.sock", DB: 1},
	} {
		c, ok := client(t, url).(*redis.Client)
		if !ok {
			t.Errorf("%s is no server", url)
			continue
		}
		o := c.Options()
		if o.Addr != want.Addr || o.Username != want.Username || o.Password != want.Password || o.DB != want.DB {
			t.Errorf("%s: %s, %q, %q, %d", url, o.Addr, o.Username, o.Password, o.DB)
		}
		if encrypted := strings.HasPrefix(url, "rediss"); encrypted != (o.TLSConfig != nil) {
			t.Errorf("%s: encrypted: %v", url, o.TLSConfig != nil)
		}
	}
}

func TestClusterURL(t *testing.T) {
	for url, want := range map[string][]string{
		"redis://a:1,b:2,c:3":             {"a:1", "b:2", "c:3"},
		"redis+cluster://a:1":             {"a:1"},
		"rediss+cluster://u:p@a,b:2":      {"a:6379", "b:2"},
		"redis://u:p,q@a:1,[::1]:2?":      {"a:1", "[::1]:2"},
		"redis+cluster://a:1?addr=b:2":    {"a:1", "b:2"},
		"redis://a:1,b:2?max_redirects=3": {"a:1", "b:2"},
		"rediss+cluster://a,b":            {"a:6379", "b:6379"},
	} {
		c, ok := client(t, url).(*redis.ClusterClient)
		if !ok {
			t.Errorf("%s is no Cluster", url)
			continue
		}
		if got := slices.Sorted(slices.Values(c.Options().Addrs)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func TestRefusedURL(t *testing.T) {
	for _, url := range []string{
		"", "localhost:6379", "http://localhost", "redis+fax://localhost", "unix+cluster:///a", "redis://localhost/zero",
		"redis+sentinel://a:1,b:2", "redis://user:secret@a:port", "redis://a?nonsense=1", "redis+cluster://a:1,b:2?nonsense=1",
	} {
		_, err := ParseURL(url)
		if err == nil {
			t.Errorf("%q is accepted", url)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}
