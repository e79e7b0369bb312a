using System.Diagnostics;

namespace Reelbase.Server.Platform.Media;

/// <summary>Looks into video files and takes pictures out of them. The pictures need ffmpeg; without it there are none.</summary>
public sealed class VideoTools(ILogger<VideoTools> logger)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly string? _ffmpeg = Find("ffmpeg");

    /// <summary>Whether thumbnails can be made here.</summary>
    public bool CanMakeThumbnails => _ffmpeg is not null;

    /// <summary>Whether a file starts as an MP4 does (ISO/IEC 14496-12: an ftyp box). What a server calls it proves nothing.</summary>
    public static async Task<bool> IsMp4Async(string path, CancellationToken cancellationToken)
    {
        var head = new byte[12];
        await using var file = File.OpenRead(path);
        var read = await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return read == head.Length && head.AsSpan(4, 4).SequenceEqual("ftyp"u8);
    }

    /// <summary>Makes a JPEG of an early frame, 320 pixels wide. False when it cannot; a video without a picture is still a video.</summary>
    public async Task<bool> MakeThumbnailAsync(string videoPath, string jpegPath, CancellationToken cancellationToken)
    {
        if (_ffmpeg is null)
        {
            return false;
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var process = Process.Start(
            new ProcessStartInfo(
                _ffmpeg,
                ["-v", "error", "-nostdin", "-y", "-ss", "0.5", "-i", videoPath, "-frames:v", "1", "-vf", "scale=320:-2", "-q:v", "4", jpegPath]
            )
            {
                RedirectStandardError = true,
            }
        )!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            await errors;
            return process.ExitCode == 0 && new FileInfo(jpegPath) is { Exists: true, Length: > 0 };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill();
            logger.LogWarning("A thumbnail took longer than {Seconds} s and was given up", Limit.TotalSeconds);
            return false;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
