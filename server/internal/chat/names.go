package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hermod-io/hermod/socketio"
)

const (
	maxName = 24 // characters
	maxRoom = 32 // characters
	maxID   = 64 // bytes, of messages and keys
	maxMeta = 120
)

// cleanName returns the name with single spaces in place of white space.
func cleanName(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	switch n := utf8.RuneCountInString(s); {
	case n == 0 || !utf8.ValidString(s):
		return "", socketio.Errorf(CodeBadName, "Please choose a name.")
	case n > maxName:
		return "", socketio.Errorf(CodeBadName, "A name has at most %d characters.", maxName)
	}
	for _, r := range s {
		if r != ' ' && !unicode.IsGraphic(r) {
			return "", socketio.Errorf(CodeBadName, "This name has characters that cannot be shown.")
		}
	}
	return s, nil
}

// cleanRoom returns the room's name in lower case.
func cleanRoom(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n := utf8.RuneCountInString(s); n == 0 || n > maxRoom {
		return "", socketio.Errorf(CodeBadRoom, "A room has a name of 1 to %d characters.", maxRoom)
	}
	for _, r := range s {
		if r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return "", socketio.Errorf(CodeBadRoom, "The name of a room has letters, digits, - and _ only.")
		}
	}
	return s, nil
}

// checkID refuses ids that are absent or too long to be kept.
func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return socketio.Errorf(CodeBadID, "A message has an id of 1 to %d bytes.", maxID)
	}
	return nil
}

// person derives who shows a key, or who has a socket when there is none.
func person(name, key, socket string) Person {
	if key == "" {
		key = "socket " + socket
	}
	sum := sha256.Sum256([]byte(key))
	return Person{ID: hex.EncodeToString(sum[:8]), Name: name}
}

// cleanFile returns the name and the media type of a file, safe to be shown.
func cleanFile(name, media string) (string, string) {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, name)
	if strings.Trim(name, "./") == "" {
		name = "file"
	}
	if r := []rune(name); len(r) > maxMeta {
		name = string(r[:maxMeta])
	}
	if len(media) > maxMeta || strings.ContainsFunc(media, func(r rune) bool { return r <= ' ' || r > '~' }) {
		media = ""
	}
	return name, media
}
