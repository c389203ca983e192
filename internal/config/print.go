package config

import (
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"
)

// Setting is one variable with its documentation.
type Setting struct {
	Name    string
	Value   string // masked where it is secret
	Default string
	Help    string
	Secret  bool
}

// Settings lists every variable in the order of the struct. It is what `creditgraph config` prints and
// what the configuration page of the docs is made from.
func (c *Config) Settings() []Setting {
	return settings(reflect.ValueOf(c).Elem())
}

func settings(v reflect.Value) []Setting {
	var list []Setting
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name := field.Tag.Get("env")
		if name == "" {
			list = append(list, settings(value)...)
			continue
		}
		s := Setting{Name: name, Default: field.Tag.Get("default"), Help: field.Tag.Get("help"), Value: fmt.Sprint(value.Interface())}
		if words, ok := value.Interface().([]string); ok {
			s.Value = strings.Join(words, ",")
		}
		if secret, ok := value.Interface().(Secret); ok {
			s.Secret, s.Value = true, masked(string(secret))
		}
		list = append(list, s)
	}
	return list
}

// masked hides a secret; of an address it leaves what is not secret, so that one can see where it points.
func masked(text string) string {
	if strings.HasPrefix(text, "sqlite:") {
		return text
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && u.Scheme != "" {
		return u.Scheme + "://" + u.Host + u.Path
	}
	return Secret(text).String()
}

// Print writes every setting as NAME=value, secrets masked.
func (c *Config) Print(w io.Writer) error {
	for _, s := range c.Settings() {
		if _, err := fmt.Fprintf(w, "%s=%s\n", s.Name, s.Value); err != nil {
			return err
		}
	}
	return nil
}
