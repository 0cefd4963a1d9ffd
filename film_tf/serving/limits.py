"""Says how much a server takes on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
  """Bounds of a server; what exceeds one is refused with a sentence."""

  max_bytes: int = 64_000_000  # of a request: both photos
  max_pixels: int = 50_000_000  # of a photo
  queue: int = 4  # jobs that wait while one is made; another is answered 429
  timeout: float = 600.0  # seconds that a job may take once it has begun, and an upload
  keep: float = 600.0  # seconds for which a result is kept
  results: int = 8  # that are kept; the oldest goes first
  patience: float = 600.0  # seconds after which nobody has asked about a job, so that it is cancelled
  film_side: int = 1920  # pixels of the longer side of a GIF or MP4, at most: more is not played on phones
