package ephemeral

import (
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/wscore"
)

// Guard says how tokens are asked for. The zero value takes them at the end of
// the URI, any number of times.
type Guard struct {
	// SingleUse lets a token upgrade one connection.
	SingleUse bool
	// Signed takes the token from the bearer of the Authorization header, else
	// from the query, and refuses with 403 instead of 404.
	Signed bool
}

// Protect returns spec for those alone who have a token of g: others are refused
// with 404, or 403 (Guard.Signed), whatever is wrong with theirs. The Cookie is
// in Upgrade.Value, which spec.Check and spec.New may look at. Without Signed,
// spec needs a name and no URI: the URIs are as many as the tokens.
func Protect(spec wscore.ProtocolSpec, g *Generator, guard Guard) wscore.ProtocolSpec {
	next := spec.Check
	spec.Check = func(u *wscore.Upgrade) error {
		c, err := guard.check(g, u)
		if err != nil {
			if guard.Signed {
				return &wscore.HandshakeError{Status: http.StatusForbidden, Msg: "upgrade not signed"}
			}
			return &wscore.HandshakeError{Status: http.StatusNotFound, Msg: "no such URI"}
		}
		u.Value = c
		if next != nil {
			return next(u)
		}
		return nil
	}
	return spec
}

func (guard Guard) check(g *Generator, u *wscore.Upgrade) (Cookie, error) {
	token := TokenOf(u.URI)
	if guard.Signed {
		if token = u.BearerToken; token == "" {
			_, query, _ := strings.Cut(u.URI, "?")
			token = TokenOf(query)
		}
	}
	if guard.SingleUse {
		return g.Use(token)
	}
	return g.Validate(token)
}
