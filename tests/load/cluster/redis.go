//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a redis-server of ours.
type server struct {
	cmd    *exec.Cmd
	dir    string
	addr   string
	client *redis.Client
}

// startRedis starts a server that keeps nothing, and waits until it serves.
func startRedis(ctx context.Context) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	s.cmd = exec.CommandContext(ctx, "redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.client = redis.NewClient(&redis.Options{Addr: s.addr})
	for deadline := time.Now().Add(time.Minute); ; {
		err := s.client.Ping(ctx).Err()
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			s.stop()
			return nil, err
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (s *server) stop() {
	_ = s.client.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}

var outputBytes = regexp.MustCompile(`total_net_output_bytes:(\d+)`)

// sent is how many bytes the server has sent.
func (s *server) sent(ctx context.Context) (int64, error) {
	info, err := s.client.Info(ctx, "stats").Result()
	if err != nil {
		return 0, err
	}
	m := outputBytes.FindStringSubmatch(info)
	if m == nil {
		return 0, errors.New("INFO without total_net_output_bytes")
	}
	return strconv.ParseInt(m[1], 10, 64)
}

// processorTime is what the kernel has given the threads of a process, in
// nanoseconds. See sched-stats.rst of the kernel.
func processorTime(pid int) (total int64, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the thread ended meanwhile
		}
		var on int64
		if _, err := fmt.Sscan(string(text), &on); err != nil {
			return 0, fmt.Errorf("%s: %w", f, err)
		}
		total += on
	}
	if total == 0 {
		return 0, fmt.Errorf("process %d: gone, or the kernel keeps no schedstat", pid)
	}
	return total, nil
}
