package ephemeral

import (
	"net/http"
	"strings"

	"github.com/hermod-io/hermod/wscore"
)

// Guard says how tokens are asked for. The zero value takes them at the end of
// the URI, any number of times.
type Guard struct {
	// SingleUse lets a token upgrade one connection. It is used up when spec.Check
	// has agreed, even if wscore.ProcessSettings.OnUpgrade then does not. It does not
	// go together with a client that reconnects to the same URI.
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
		token := guard.token(u)
		c, err := g.Validate(token)
		if err != nil {
			return guard.refusal()
		}
		u.Value = c
		if next != nil {
			if err := next(u); err != nil {
				return err
			}
		}
		if guard.SingleUse {
			if _, err := g.Use(token); err != nil {
				return guard.refusal()
			}
		}
		return nil
	}
	return spec
}

// token is what an upgrade shows.
func (guard Guard) token(u *wscore.Upgrade) string {
	if !guard.Signed {
		return TokenOf(u.URI)
	}
	if u.BearerToken != "" {
		return u.BearerToken
	}
	_, query, _ := strings.Cut(u.URI, "?")
	return TokenOf(query)
}

// refusal says no more than that there is no upgrade.
func (guard Guard) refusal() error {
	if guard.Signed {
		return &wscore.HandshakeError{Status: http.StatusForbidden, Msg: "upgrade not signed"}
	}
	return &wscore.HandshakeError{Status: http.StatusNotFound, Msg: "no such URI"}
}
