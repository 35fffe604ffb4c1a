"""What a local cloud is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True)
class CloudConfig:
    """One local cloud: where it listens, what it remembers, which Python runs its jobs."""

    port: int
    state: Path
    jobs_python: Path
    transformer_python: Path  # need not be there until a job asks for it
    stop_grace: float = 120.0  # seconds between TERM and KILL for a job that is stopped, as on AWS
    region: str = "us-east-1"
    account: str = "000000000000"

    @property
    def endpoint(self) -> str:
        """The URL every AWS client of this cloud uses."""
        return f"http://{HOST}:{self.port}"

    @property
    def objects(self) -> Path:
        """Where S3 keeps its objects."""
        return self.state / "s3"

    @property
    def services(self) -> Path:
        """Where the other services keep their state, one file each."""
        return self.state / "services"

    @property
    def log(self) -> Path:
        """The log of the cloud itself."""
        return self.state / "cloud.log"

    @property
    def record(self) -> Path:
        """The file that is there while the cloud is ready."""
        return self.state / "cloud.json"
