package web

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := fs.ReadFile(Page(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What a page refers to is either beside it or comes from the Socket.IO server.
func TestThePageFindsWhatItRefersTo(t *testing.T) {
	refs := regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(read(t, "index.html"), -1)
	if len(refs) < 4 {
		t.Fatalf("only %d references", len(refs))
	}
	for _, ref := range refs {
		if !strings.HasPrefix(ref[1], "/socket.io/") {
			read(t, ref[1])
		}
	}
	modules, err := fs.Glob(Page(), "*.js")
	if err != nil || len(modules) == 0 {
		t.Fatal("no modules", err)
	}
	for _, name := range modules {
		for _, ref := range regexp.MustCompile(`from '([^']+)'`).FindAllStringSubmatch(read(t, name), -1) {
			read(t, path.Join(path.Dir(name), ref[1]))
		}
	}
}

// A server whose endpoint is elsewhere gives the page that place, for the
// script as well as for the connection.
func TestThePageGoesWhereTheEndpointIs(t *testing.T) {
	page := string(Index(`/a"b`))
	for _, want := range []string{`src="/a&#34;b/socket.io.js"`, `data-path="/a&#34;b/"`} {
		if !strings.Contains(page, want) {
			t.Errorf("index.html has no %s", want)
		}
	}
	if strings.Contains(page, `"/socket.io/`) {
		t.Error("index.html still names the usual path")
	}
	if string(Index("/socket.io")) != read(t, "index.html") {
		t.Error("at the usual path the page is not as it stands")
	}
}

// The policy that the page is served under forbids all of these.
func TestThePageKeepsToItsPolicy(t *testing.T) {
	page := read(t, "index.html")
	for _, bad := range []string{`\sstyle=`, `\son\w+=`, `<style`, `<script>`, `javascript:`, `(?:src|href)="\w+:`} {
		if found := regexp.MustCompile(bad).FindString(page); found != "" {
			t.Errorf("index.html has %q", found)
		}
	}
	if strings.Contains(read(t, "chat.css"), "url(") {
		t.Error("chat.css loads something")
	}
}

// Every element that the modules look for by its id is there.
func TestThePageHasTheElementsOfItsScript(t *testing.T) {
	page := read(t, "index.html")
	ids := regexp.MustCompile(`\$\('([\w-]+)'\)`).FindAllStringSubmatch(read(t, "chat.js"), -1)
	if len(ids) < 20 {
		t.Fatalf("only %d ids", len(ids))
	}
	for _, id := range ids {
		if strings.Count(page, `id="`+id[1]+`"`) != 1 {
			t.Errorf("index.html has not one element %q", id[1])
		}
	}
}

// The lock file is the same wherever npm takes the packages from.
func TestTheLockNamesNoRegistry(t *testing.T) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) || !strings.Contains(string(lock), `"integrity"`) {
		t.Error("package-lock.json: an address, or no checksum")
	}
}
