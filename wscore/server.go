package wscore

import "io"

// Server accepts connections and holds what they share: settings, timers, and
// the flushers of their queues. The zero value is not usable, see NewServer.
// RFC 6455 section 4.2.
type Server struct{ group }

// NewServer returns a Server. settings is copied.
func NewServer(settings Settings) *Server { return &Server{newGroup(settings)} }

// NewConn returns the server side of a connection whose handshake is done.
// RFC 6455 section 5.1.
func (s *Server) NewConn(rwc io.ReadWriteCloser) *Conn { return s.newConn(rwc, nil, false) }
