using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Reelbase.Simulators;

/// <summary>Makes short real MP4 files that show the prompt, with ffmpeg; without it, or when configured to (<c>Videos:Recorded</c>), a small recorded one.</summary>
public sealed class VideoMaker(IConfiguration configuration, ILogger<VideoMaker> logger)
{
    private const int MaxKept = 200;
    private readonly ConcurrentDictionary<string, Lazy<Task<byte[]>>> _made = new();

    /// <summary>The video for a prompt; the same prompt gives the same file.</summary>
    public Task<byte[]> MakeAsync(string prompt)
    {
        if (_made.Count > MaxKept)
        {
            _made.Clear();
        }
        return _made.GetOrAdd(prompt, text => new(() => RunAsync(text))).Value;
    }

    private static Task<byte[]> RecordedAsync() => File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "recorded.mp4"));

    private async Task<byte[]> RunAsync(string prompt)
    {
        if (configuration.GetValue<bool>("Videos:Recorded"))
        {
            return await RecordedAsync();
        }
        var folder = Directory.CreateTempSubdirectory("reelbase-video");
        try
        {
            var text = Path.Combine(folder.FullName, "prompt.txt");
            var video = Path.Combine(folder.FullName, "video.mp4");
            await File.WriteAllTextAsync(text, Wrap(prompt));
            var font = new[] { "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/System/Library/Fonts/Supplemental/Arial.ttf" }.FirstOrDefault(File.Exists);
            // The colour comes from the prompt: the same story has the same picture every time.
            var colour = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(prompt)))[..6];
            string[] drawing = font is null
                ? []
                :
                [
                    "-vf",
                    $"drawtext=fontfile={font}:textfile={text}:expansion=none:fontcolor=white:fontsize=20:box=1:boxcolor=black@0.6:boxborderw=8:x=(w-tw)/2:y=(h-th)/2",
                ];
            using var process = Process.Start(
                new ProcessStartInfo(
                    "ffmpeg",
                    [
                        "-v",
                        "error",
                        "-nostdin",
                        "-y",
                        "-f",
                        "lavfi",
                        "-i",
                        $"color=c=0x{colour}:s=640x360:r=12:d=2",
                        .. drawing,
                        "-c:v",
                        "libx264",
                        "-preset",
                        "ultrafast",
                        "-crf",
                        "30",
                        "-pix_fmt",
                        "yuv420p",
                        "-movflags",
                        "+faststart",
                        video,
                    ]
                )
                {
                    RedirectStandardError = true,
                }
            )!;
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var errors = await process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode == 0)
            {
                return await File.ReadAllBytesAsync(video);
            }
            logger.LogWarning("ffmpeg could not draw the prompt ({Errors}); the recorded video is used", errors);
        }
        catch (Exception error) when (error is System.ComponentModel.Win32Exception or OperationCanceledException)
        {
            logger.LogWarning("ffmpeg is not there or too slow; the recorded video is used");
        }
        finally
        {
            try
            {
                folder.Delete(recursive: true);
            }
            catch (IOException)
            {
                // An ffmpeg that was too slow may still write there; no webhook may be lost for that.
            }
        }
        return await RecordedAsync();
    }

    private static string Wrap(string prompt)
    {
        var lines = prompt
            .Split(' ')
            .Aggregate(
                new List<string> { "" },
                (all, word) =>
                {
                    if (all[^1].Length + word.Length > 44)
                    {
                        all.Add("");
                    }
                    all[^1] += (all[^1].Length > 0 ? " " : "") + word;
                    return all;
                }
            );
        return string.Join('\n', lines.Take(10));
    }
}
