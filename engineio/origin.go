package engineio

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// SameOrigin is an AllowRequest that refuses pages of other hosts. A request
// without Origin is allowed: it comes from no page, or from one that cannot read
// the answer. JSONP is the exception, a script that any page can load: there
// Sec-Fetch-Site or Referer tells the page, and without either it is refused.
func SameOrigin(r *http.Request) error {
	origin, matters := pageOrigin(r)
	if !matters {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, r.Host) {
		return errors.New("engineio: origin " + origin + " is not this host")
	}
	return nil
}

// pageOrigin is the origin of the page that a handshake comes from, "" if it is
// not known, and whether it has to be looked at. Fetch, "`Origin` header" and
// "Fetch metadata".
func pageOrigin(r *http.Request) (origin string, matters bool) {
	if origin := r.Header.Get("Origin"); origin != "" {
		return origin, true
	}
	q := parseQuery(r.URL.RawQuery)
	if q.transport != Polling || !q.jsonp || r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return "", false
	}
	if page, err := url.Parse(r.Referer()); err == nil && page.Host != "" {
		return page.Scheme + "://" + page.Host, true
	}
	return "", true
}

// originAllowed asks the configured origins, if there are any.
func (srv *Server) originAllowed(r *http.Request) bool {
	if srv.cors == nil {
		return true
	}
	origin, matters := pageOrigin(r)
	if !matters {
		return true
	}
	if origin != r.Header.Get("Origin") { // that of a script is where they are not looked for
		r = r.Clone(r.Context())
		r.Header.Set("Origin", origin)
	}
	return srv.cors.OriginAllowed(r)
}
