namespace Reelbase.Server.Platform.Media;

/// <summary>Section <c>Media</c>: the programs that look into videos.</summary>
public sealed class MediaOptions
{
    /// <summary>The word for doing without a program.</summary>
    public const string None = "none";

    /// <summary>The ffmpeg that makes thumbnails. Empty: the one on the PATH, if there is one. <c>none</c>: videos have no thumbnails.</summary>
    public string? FfmpegFile { get; set; }

    /// <summary>The ffprobe that reads size and duration. Empty: the one on the PATH, if there is one. <c>none</c>: videos are described by their file alone.</summary>
    public string? FfprobeFile { get; set; }
}
