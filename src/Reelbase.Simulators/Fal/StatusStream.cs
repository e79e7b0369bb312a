using System.Text.Json;

namespace Reelbase.Simulators.Fal;

/// <summary>fal's stream of status events: one JSON object an event, comments to keep it alive, closed after COMPLETED.</summary>
public sealed class StatusStream(FalRequest request, Func<object> status) : IResult
{
    private const int MaxEvents = 10_000;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.ContentType = "text/event-stream";
        var last = "";
        for (var number = 0; number < MaxEvents && last != "COMPLETED"; number++)
        {
            request.NoteStatusRead();
            var state = request.State;
            await httpContext.Response.WriteAsync(
                state == last ? ": still here\n\n" : $"data: {JsonSerializer.Serialize(status())}\n\n",
                httpContext.RequestAborted
            );
            await httpContext.Response.Body.FlushAsync(httpContext.RequestAborted);
            last = state;
            if (state != "COMPLETED")
            {
                await Task.Delay(100, httpContext.RequestAborted);
            }
        }
    }
}
