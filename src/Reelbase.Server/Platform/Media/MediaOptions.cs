using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Media;

/// <summary>Section <c>Media</c>: the programs that read videos.</summary>
public sealed class MediaOptions
{
    /// <summary>The word for doing without a program.</summary>
    public const string None = "none";

    /// <summary>The ffmpeg that makes thumbnails. Empty: the one on the PATH, if there is one. <c>none</c>: videos have no thumbnails.</summary>
    public string? FfmpegFile { get; set; }

    /// <summary>The ffprobe that reads size and duration. Empty: the one on the PATH, if there is one. <c>none</c>: videos are described by their file alone.</summary>
    public string? FfprobeFile { get; set; }

    /// <summary>Seconds that either may take, by the clock and of a processor.</summary>
    [Range(1, 600)]
    public int TimeoutSeconds { get; set; } = 20;

    /// <summary>Memory (address space) that either may take, in MB.</summary>
    [Range(64, 65_536)]
    public int MaxMemoryMegabytes { get; set; } = 2048;
}
