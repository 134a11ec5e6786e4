package redisadapter

import (
	"testing"

	"github.com/hermod-io/hermod/internal/redistest"
)

func startRedis(t testing.TB) string { return redistest.Start(t, redistest.Options{}).Addr() }
