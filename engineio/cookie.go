package engineio

import (
	"errors"
	"net/http"
)

func (c *Cookie) validate() error {
	if err := c.http("x").Valid(); err != nil {
		return errors.New("engineio: Cookie: " + err.Error())
	}
	return nil
}

// http returns the cookie for a session.
func (c *Cookie) http(sid string) *http.Cookie {
	h := &http.Cookie{Name: c.Name, Value: sid, Path: c.Path, Domain: c.Domain, Expires: c.Expires,
		MaxAge: int(c.MaxAge.Seconds()), HttpOnly: !c.NoHTTPOnly, Secure: c.Secure, SameSite: c.SameSite}
	def(&h.Name, "io")
	def(&h.Path, "/")
	def(&h.SameSite, http.SameSiteLaxMode)
	return h
}
