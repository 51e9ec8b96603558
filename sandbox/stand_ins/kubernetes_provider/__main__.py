"""A stand-in for `pulumi-resource-kubernetes`: serves the engine. See the package's first lines."""

from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.stand_ins.kubernetes_provider.provider import KubernetesProvider
from sandbox.stand_ins.plugin import serve

# A rollout holds a thread while it is waited for, and the engine runs up to PULUMI_PARALLEL of them.
THREADS = 512


def main() -> None:
    """Serve until the engine ends."""
    provider = KubernetesProvider()
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        threads=THREADS,
        stop=provider.stop,
    )


if __name__ == "__main__":
    main()
