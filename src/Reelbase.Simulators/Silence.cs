namespace Reelbase.Simulators;

/// <summary>An answer that never comes.</summary>
public static class Silence
{
    /// <summary>
    /// Keeps silent until the caller gives up; with <c>--Silence:Seconds</c> the line is cut after these, for callers whose patience is not what is tried.
    /// </summary>
    public static async Task<IResult> KeepAsync(HttpContext context, IConfiguration configuration)
    {
        var time = configuration.GetValue<double?>("Silence:Seconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan;
        await Task.Delay(time, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        context.Abort();
        return Results.Empty;
    }
}
