using System.Buffers.Binary;

namespace Reelbase.Simulators;

/// <summary>Serves what a provider made, or what a directive asks to be served instead.</summary>
public sealed class VideoFiles(VideoMaker videos)
{
    private const int Megabyte = 1024 * 1024;

    /// <summary>An address at a host that no vendor serves files from, with a dot behind it and in capitals, as some write it.</summary>
    public static string Elsewhere(string id) => $"https://Media.Elsewhere.Example./{id}/video.mp4";

    /// <summary>The answer to a fetch of a video.</summary>
    public async Task<IResult> SendAsync(HttpContext context, Directives directives, string prompt, bool isFirstRead)
    {
        if (directives.Has("old-address") && isFirstRead)
        {
            // An address that has ended: the first reader is too late, whoever asks the provider again gets a fresh one.
            return Results.StatusCode(StatusCodes.Status403Forbidden);
        }
        if (directives.Has("redirect-private"))
        {
            return Results.Redirect("http://169.254.169.254/latest/meta-data/");
        }
        if (directives.Has("redirect-elsewhere"))
        {
            return Results.Redirect(Elsewhere("moved"));
        }
        if (directives.Has("garbage"))
        {
            return Results.Text("<html>this is no video</html>", "video/mp4");
        }
        if (directives.Has("huge"))
        {
            context.Response.ContentType = "video/mp4";
            context.Response.ContentLength = 600L * Megabyte;
            await context.Response.Body.WriteAsync(new byte[64 * 1024], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return Results.Empty;
        }
        var video = await videos.MakeAsync(prompt);
        if (directives.Has("truncated"))
        {
            // A whole answer with half a video in it: only reading it shows that.
            return Results.Bytes(video[..(video.Length * 2 / 3)], "video/mp4");
        }
        if (directives.Has("size"))
        {
            return await SendPaddedAsync(context, video, (int)directives.Seconds("size", 10) * (long)Megabyte);
        }
        return Results.Bytes(video, "video/mp4", enableRangeProcessing: true);
    }

    /// <summary>The video with a box of nothing behind it (ISO/IEC 14496-12 "free"): as large as asked for, and it still plays.</summary>
    private static async Task<IResult> SendPaddedAsync(HttpContext context, byte[] video, long bytes)
    {
        var padding = Math.Max(16, bytes - video.Length);
        context.Response.ContentType = "video/mp4";
        context.Response.ContentLength = video.Length + padding;
        await context.Response.Body.WriteAsync(video, context.RequestAborted);
        var header = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(header, 1);
        "free"u8.CopyTo(header.AsSpan(4));
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(8), padding);
        await context.Response.Body.WriteAsync(header, context.RequestAborted);
        var chunk = new byte[256 * 1024];
        for (var left = padding - header.Length; left > 0; left -= chunk.Length)
        {
            await context.Response.Body.WriteAsync(chunk.AsMemory(0, (int)Math.Min(left, chunk.Length)), context.RequestAborted);
        }
        return Results.Empty;
    }
}
