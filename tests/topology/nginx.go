package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// conf and accessLog are the files of nginx in the folder of the topology.
const (
	conf      = "nginx.conf"
	accessLog = "access.log"
)

// paths are where nginx puts its files: else that is where the system's own does.
// The log tells which nodes a request went to, and what each answered.
const paths = `
    log_format nodes '$time_iso8601 $status [$upstream_addr] [$upstream_status] $request_time "$request"';
    access_log "DIR/access.log" nodes;
    client_body_temp_path "DIR/body";
    proxy_temp_path "DIR/proxy";
    fastcgi_temp_path "DIR/fastcgi";
    uwsgi_temp_path "DIR/uwsgi";
    scgi_temp_path "DIR/scgi";
`

// foreign is a node as the compose setup names it.
var foreign = regexp.MustCompile(`server [a-z]\S*;`)

// configure makes the configuration of nginx from that of the compose setup. The
// addresses of the nodes, that to listen on, and the paths are other ones; nothing
// else is.
func configure(text string, nodes []*service, listen, dir string) (string, error) {
	var err error
	put := func(old, other string) {
		if n := strings.Count(text, old); n != 1 && err == nil {
			err = fmt.Errorf("nginx.conf: %q is there %d times", old, n)
		}
		text = strings.Replace(text, old, other, 1)
	}
	for _, n := range nodes {
		put("server "+n.name+":3000;", "server "+n.addr+";")
	}
	put("listen 80;", "listen "+listen+";")
	put("http {\n", "http {"+strings.ReplaceAll(paths, "DIR", dir)+"\n")
	if name := foreign.FindString(text); name != "" && err == nil {
		err = fmt.Errorf("nginx.conf: %q is no node of docker-compose.yml", name)
	}
	return text, err
}

// nginx writes the configuration and returns the service. It has no file in
// common with an nginx that the system runs.
func (t *topology) nginx(nodes []*service, addr string) (*service, error) {
	path, err := lookPath("nginx", "/usr/sbin/nginx")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(t.root, "server", "deploy", "nginx.conf"))
	if err != nil {
		return nil, err
	}
	ours, err := configure(string(text), nodes, addr, t.dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(t.dir, conf)
	if err := os.WriteFile(file, []byte(ours), 0o600); err != nil {
		return nil, err
	}
	return t.service("nginx", addr, func() *exec.Cmd {
		return exec.Command(path, "-e", "stderr", "-p", t.dir, "-c", file,
			"-g", fmt.Sprintf(`daemon off; pid "%s";`, filepath.Join(t.dir, "nginx.pid")))
	}), nil
}

// lookPath finds a program. The path of a user may lack the folder where Debian
// puts what administrators run.
func lookPath(name, elsewhere string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	if elsewhere != "" {
		if path, err := exec.LookPath(elsewhere); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no %s. On Debian or Ubuntu: sudo apt-get install --no-install-recommends %s", name, name)
}
