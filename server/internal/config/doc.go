// Package config reads the settings of the server program from flags and
// environment variables, and turns them into the libraries' own Config.
package config
