using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Media;

/// <summary>What a video is like, as far as it is known.</summary>
public sealed record VideoMetadata(double? DurationSeconds, int? Width, int? Height, double? Fps, bool? HasAudio)
{
    /// <summary>Nothing is known: ffprobe is not here.</summary>
    public static VideoMetadata Unknown { get; } = new(null, null, null, null, null);
}

/// <summary>Reads video files and takes pictures out of them, with ffprobe and ffmpeg where they are installed.</summary>
public sealed class VideoTools(IOptions<MediaOptions> options, ILogger<VideoTools> logger)
{
    /// <summary>Bounds itself and then becomes the program: what it reads was made by strangers. Where a system knows one of the limits not, the others stand.</summary>
    private const string Bounded =
        "ulimit -v \"$1\" 2>/dev/null || :; ulimit -t \"$2\" 2>/dev/null || :; ulimit -c 0 2>/dev/null || :; umask 077; shift 2; exec \"$@\"";

    private static readonly IReadOnlyList<string> OnlyFiles = ["-protocol_whitelist", "file"];
    private readonly TimeSpan _limit = TimeSpan.FromSeconds(options.Value.TimeoutSeconds);
    private const int MaxOutputCharacters = 64 * 1024;
    private readonly string? _ffmpeg = Find(options.Value.FfmpegFile, "ffmpeg");
    private readonly string? _ffprobe = Find(options.Value.FfprobeFile, "ffprobe");

    /// <summary>Reads duration, size, frame rate and sound. A file that is cut short or broken gives a fault.</summary>
    public async Task<(VideoMetadata Metadata, string? Fault)> ProbeAsync(string path, CancellationToken cancellationToken)
    {
        if (await Mp4File.FindFaultAsync(path, cancellationToken) is { } fault)
        {
            return (VideoMetadata.Unknown, fault);
        }
        if (_ffprobe is null)
        {
            return (VideoMetadata.Unknown, null);
        }
        var result = await RunAsync(
            _ffprobe,
            [
                "-v",
                "error",
                "-threads",
                "1",
                "-show_entries",
                "format=duration:stream=codec_type,width,height,avg_frame_rate",
                "-of",
                "json",
                .. OnlyFiles,
                "-i",
                path,
            ],
            cancellationToken
        );
        if (result is not { } output)
        {
            return (VideoMetadata.Unknown, null);
        }
        // ffprobe ends with 0 on a damaged file and only complains.
        if (output.ExitCode != 0 || output.Errors.Trim().Length > 0)
        {
            return (VideoMetadata.Unknown, "ffprobe finds it damaged");
        }
        var metadata = Read(output.Text);
        return metadata is { Width: > 0, Height: > 0 } && metadata.DurationSeconds is > 0 or null
            ? (metadata, null)
            : (VideoMetadata.Unknown, "there is no picture in it");
    }

    /// <summary>Makes a JPEG of an early frame, 320 pixels wide. False when it cannot; a video without a picture is still a video.</summary>
    public async Task<bool> MakeThumbnailAsync(string videoPath, string jpegPath, CancellationToken cancellationToken)
    {
        if (_ffmpeg is null)
        {
            return false;
        }
        // One frame is sooner decoded than a thread for each core is started.
        string[] arguments =
        [
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-threads",
            "1",
            "-filter_threads",
            "1",
            "-ss",
            "0.5",
            .. OnlyFiles,
            "-i",
            videoPath,
            "-frames:v",
            "1",
            "-vf",
            "scale=320:-2",
            "-q:v",
            "4",
            jpegPath,
        ];
        return await RunAsync(_ffmpeg, arguments, cancellationToken) is { ExitCode: 0 } && new FileInfo(jpegPath) is { Exists: true, Length: > 0 };
    }

    private static VideoMetadata Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var streams = root.TryGetProperty("streams", out var list) ? list.EnumerateArray().ToList() : [];
        var picture = streams.Find(stream => stream.GetProperty("codec_type").GetString() == "video");
        double? duration =
            root.TryGetProperty("format", out var format)
            && format.TryGetProperty("duration", out var text)
            && double.TryParse(text.GetString(), CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : null;
        if (picture.ValueKind == JsonValueKind.Undefined)
        {
            return VideoMetadata.Unknown;
        }
        return new(
            duration,
            picture.TryGetProperty("width", out var width) ? width.GetInt32() : null,
            picture.TryGetProperty("height", out var height) ? height.GetInt32() : null,
            picture.TryGetProperty("avg_frame_rate", out var rate) ? Rate(rate.GetString()) : null,
            streams.Exists(stream => stream.GetProperty("codec_type").GetString() == "audio")
        );
    }

    /// <summary>ffprobe writes rates as fractions: 30000/1001.</summary>
    private static double? Rate(string? text) =>
        text?.Split('/') is [var top, var bottom]
        && double.TryParse(top, CultureInfo.InvariantCulture, out var frames)
        && double.TryParse(bottom, CultureInfo.InvariantCulture, out var seconds)
        && frames > 0
        && seconds > 0
            ? Math.Round(frames / seconds, 3)
            : null;

    private async Task<Output?> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_limit);
        var start = new ProcessStartInfo(
            "/bin/sh",
            [
                "-c",
                Bounded,
                "sh",
                (options.Value.MaxMemoryMegabytes * 1024L).ToString(CultureInfo.InvariantCulture),
                options.Value.TimeoutSeconds.ToString(CultureInfo.InvariantCulture),
                program,
                .. arguments,
            ]
        )
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        // Nothing of ours: the environment holds keys and passwords.
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        try
        {
            var errors = ReadAsync(process.StandardError, limit.Token);
            var text = await ReadAsync(process.StandardOutput, limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, text, await errors);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            logger.LogWarning("{Program} took longer than {Seconds} s and was given up", Path.GetFileName(program), _limit.TotalSeconds);
            return null;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Reads to the end but keeps only the beginning: a broken file can make these programs talk without end.</summary>
    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var kept = new System.Text.StringBuilder();
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            kept.Append(buffer, 0, Math.Min(read, MaxOutputCharacters - kept.Length));
        }
        return kept.ToString();
    }

    private static string? Find(string? configured, string program) =>
        configured is MediaOptions.None ? null
        : !string.IsNullOrEmpty(configured) ? configured
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private sealed record Output(int ExitCode, string Text, string Errors);
}
