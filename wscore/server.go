package wscore

import "io"

// Server accepts connections and holds what they share: settings, timers, and
// the flushers of their queues. The zero value is not usable, see NewServer.
type Server struct{ group }

// NewServer returns a Server. settings is copied.
func NewServer(settings Settings) *Server { return &Server{newGroup(settings)} }

// NewConn returns the server side of a connection whose handshake is done.
func (s *Server) NewConn(rwc io.ReadWriteCloser) *Conn { return s.newConn(rwc, nil, false) }
