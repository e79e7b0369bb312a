using System.Collections.Concurrent;

namespace Reelbase.Simulators.SupabaseStorage;

/// <summary>How a file of the former storage is given out.</summary>
public enum Manner
{
    /// <summary>Whole, with its length.</summary>
    Whole,

    /// <summary>With its length, and the connection is cut before its end.</summary>
    CutShort,

    /// <summary>Without a length, and larger than anything that may be taken.</summary>
    Endless,

    /// <summary>Its beginning, and then nothing for as long as the reader waits.</summary>
    Stalled,

    /// <summary>A redirect to an address inside, such as a cloud's metadata service.</summary>
    Redirect,
}

/// <summary>A file that the former storage has.</summary>
/// <param name="Bytes">What is in it.</param>
/// <param name="Manner">How it is given out.</param>
/// <param name="Failures">So often the storage says first that it is overloaded, and how long to wait.</param>
public sealed record FormerObject(byte[] Bytes, Manner Manner = Manner.Whole, int Failures = 0)
{
    /// <summary>Its ETag.</summary>
    public string ETag => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Bytes))[..32];
}

/// <summary>What lies in the former storage, and who asked for it.</summary>
public sealed class SupabaseStorageState
{
    private int _now;
    private int _most;

    /// <summary>The project's service key; another one is refused.</summary>
    public string ServiceKey { get; set; } = "former-service-key";

    /// <summary>Files by bucket/name.</summary>
    public ConcurrentDictionary<string, FormerObject> Files { get; } = new();

    /// <summary>The files that were asked for, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Requests to where a redirect pointed.</summary>
    public ConcurrentQueue<string> Strayed { get; } = new();

    /// <summary>A pause in each answer, so that readers meet.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>The most readers at one time.</summary>
    public int MostAtOnce => _most;

    public void Enter()
    {
        var now = Interlocked.Increment(ref _now);
        for (var most = _most; now > most && Interlocked.CompareExchange(ref _most, now, most) != most; most = _most) { }
    }

    public void Leave() => Interlocked.Decrement(ref _now);

    public void Reset()
    {
        Files.Clear();
        Requests.Clear();
        Strayed.Clear();
        Pause = TimeSpan.Zero;
        _most = 0;
    }
}

/// <summary>Supabase's storage as a service key reads it: <c>GET /storage/v1/object/authenticated/{bucket}/{name}</c>, with its way of answering 400 for a file that is not there.</summary>
public static class SupabaseStorageSimulator
{
    private const string Base = "/former-project/storage/v1/object/authenticated";

    public static void MapSupabaseStorage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(
            "/former-project/inside",
            (HttpContext context, SupabaseStorageState state) =>
            {
                state.Strayed.Enqueue(context.Request.Headers.Authorization.ToString());
                return Results.Text("inside");
            }
        );
        routes.MapGet(
            Base + "/{bucket}/{**name}",
            async (string bucket, string name, HttpContext context, SupabaseStorageState state) =>
            {
                state.Requests.Enqueue($"{bucket}/{name}");
                state.Enter();
                try
                {
                    await Task.Delay(state.Pause, context.RequestAborted);
                    return await RespondAsync($"{bucket}/{name}", context, state);
                }
                finally
                {
                    state.Leave();
                }
            }
        );
    }

    private static async Task<IResult> RespondAsync(string name, HttpContext context, SupabaseStorageState state)
    {
        if (context.Request.Headers.Authorization != $"Bearer {state.ServiceKey}" || context.Request.Headers["apikey"] != state.ServiceKey)
        {
            return Refused("403", "Unauthorized", "Invalid Compact JWS");
        }
        if (!state.Files.TryGetValue(name, out var file))
        {
            return Refused("404", "not_found", "Object not found");
        }
        if (file.Failures > 0)
        {
            state.Files[name] = file with { Failures = file.Failures - 1 };
            context.Response.Headers.RetryAfter = "1";
            return Results.StatusCode(StatusCodes.Status429TooManyRequests);
        }
        var response = context.Response;
        response.ContentType = "application/octet-stream";
        response.Headers.ETag = $"\"{file.ETag}\"";
        switch (file.Manner)
        {
            case Manner.Redirect:
                return Results.Redirect("/former-project/inside");
            case Manner.CutShort:
                response.ContentLength = file.Bytes.Length;
                await response.Body.WriteAsync(file.Bytes.AsMemory(0, file.Bytes.Length / 2), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                return Results.Empty;
            case Manner.Stalled:
                response.ContentLength = file.Bytes.Length;
                await response.Body.WriteAsync(file.Bytes.AsMemory(0, 1), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return Results.Empty;
            case Manner.Endless:
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await response.Body.WriteAsync(new byte[64 * 1024], context.RequestAborted);
                }
                return Results.Empty;
            default:
                return Results.Bytes(file.Bytes, "application/octet-stream");
        }
    }

    /// <summary>Whatever the true status is, it stands in the body, and outside is 400.</summary>
    private static IResult Refused(string status, string error, string message) =>
        Results.Json(
            new
            {
                statusCode = status,
                error,
                message,
            },
            statusCode: StatusCodes.Status400BadRequest
        );
}
