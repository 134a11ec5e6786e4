package packet

import (
	"encoding/json"
	"testing"
)

func TestHandshake(t *testing.T) {
	h := Handshake{SID: "lv_VI97HAXpY6yYWAAAB", Upgrades: []string{"websocket"}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1e6}
	want := `0{"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	if got := string(h.AppendJSON([]byte{byte(Open)})); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	h = Handshake{SID: "a\"\\\x01é<>", Upgrades: []string{"a", "b"}}
	want = `{"sid":"a\"\\\u0001é<>","upgrades":["a","b"],"pingInterval":0,"pingTimeout":0,"maxPayload":0}`
	if got := h.AppendJSON(nil); string(got) != want || !json.Valid(got) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	h = Handshake{}
	want = `{"sid":"","upgrades":[],"pingInterval":0,"pingTimeout":0,"maxPayload":0}`
	if got := string(h.AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
