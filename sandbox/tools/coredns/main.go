// Serves the names of a cluster: CoreDNS with the plugins that its Corefile names, and none for other sources.
package main

import (
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
)

func main() {
	// The order in which they answer, as CoreDNS' own plugin.cfg has it.
	dnsserver.Directives = []string{"health", "ready", "bind", "errors", "cache", "kubernetes"}
	coremain.Run()
}
