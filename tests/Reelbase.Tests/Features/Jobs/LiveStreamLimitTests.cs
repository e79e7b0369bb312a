using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Streams stay open and cost something while they do: each user and each address has so many and no more.</summary>
public sealed class LiveStreamLimitTests(LiveStreamLimitTests.Installation system) : IClassFixture<LiveStreamLimitTests.Installation>
{
    [Fact]
    public async Task A_user_opens_as_many_streams_as_the_limit_says_and_a_closed_one_frees_its_place()
    {
        var phone = await system.NewGuestAsync(100);
        var job = (await phone.GenerateAsync("Watched by many [slow 600]"))["job_id"].GetString()!;
        var open = new List<HttpResponseMessage>();
        for (var number = 0; number < 12; number++)
        {
            open.Add(await WatchAsync(phone, job));
            Assert.Equal(HttpStatusCode.OK, open[^1].StatusCode);
        }
        using var response = await WatchAsync(phone, job);
        var refused = await ApiResponse.ReadAsync(response);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal("ERR_4004", refused.Code);
        Assert.Equal("user", refused["error"].GetProperty("details").GetProperty("scope").GetString());
        Assert.Equal("12", Assert.Single(response.Headers.GetValues("X-RateLimit-Limit")));
        Assert.Equal("0", Assert.Single(response.Headers.GetValues("X-RateLimit-Remaining")));
        Assert.Single(response.Headers.GetValues("X-RateLimit-Reset"));
        Assert.NotNull(response.Headers.RetryAfter);
        // One answer at once is no stream, and somebody else has places of their own.
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync($"/get-video-status?job_id={job}")).Status);
        var other = await system.NewGuestAsync(100);
        var othersJob = (await other.GenerateAsync("Watched by one [slow 600]"))["job_id"].GetString()!;
        open.Add(await WatchAsync(other, othersJob));
        Assert.Equal(HttpStatusCode.OK, open[^1].StatusCode);

        open[0].Dispose();
        await Eventually.IsAsync(
            async () =>
            {
                var next = await WatchAsync(phone, job);
                open.Add(next);
                return next.StatusCode;
            },
            status => status == HttpStatusCode.OK
        );
        open.ForEach(stream => stream.Dispose());
        await Eventually.IsAsync(() => Task.FromResult(system.Server.Services.GetRequiredService<LiveConnections>().Known), known => known == 0);
    }

    [Fact]
    public async Task An_address_opens_as_many_streams_as_its_limit_says_whoever_asks()
    {
        var open = new List<HttpResponseMessage>();
        foreach (var (address, isTaken) in new[] { ("198.51.100.7", true), ("198.51.100.7", false), ("2001:db8:1:2::1", true), ("2001:db8:1:2::ffff", false) })
        {
            var phones = await Task.WhenAll(system.NewGuestAsync(100), system.NewGuestAsync(100));
            foreach (var phone in phones)
            {
                var job = (await phone.GenerateAsync("Watched from one place [slow 600]"))["job_id"].GetString()!;
                for (var number = 0; number < (isTaken ? 10 : 1); number++)
                {
                    open.Add(await WatchAsync(phone, job, address));
                    Assert.Equal(isTaken ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests, open[^1].StatusCode);
                }
            }
            if (!isTaken)
            {
                Assert.Equal("address", (await ApiResponse.ReadAsync(open[^1]))["error"].GetProperty("details").GetProperty("scope").GetString());
            }
        }
        open.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public void Minus_one_is_no_limit_and_a_place_is_given_back_once()
    {
        var live = new LiveConnections(Options.Create(new LiveOptions { StreamsPerUser = -1, StreamsPerAddress = -1 }));
        var user = Guid.NewGuid();
        var places = Enumerable.Range(0, 1000).Select(_ => live.Open(user, IPAddress.Loopback)).ToList();
        places.ForEach(place => place.Dispose());
        places.ForEach(place => place.Dispose());
        Assert.Equal(0, live.Known);
        var strict = new LiveConnections(Options.Create(new LiveOptions { StreamsPerUser = 1, StreamsPerAddress = 1 }));
        using (strict.Open(user, null))
        {
            // A refusal takes no place of the other kind.
            Assert.Throws<ApiException>(() => strict.Open(user, IPAddress.Loopback));
            Assert.Throws<ApiException>(() => strict.Open(Guid.NewGuid(), null));
            Assert.Equal(2, strict.Known);
        }
        Assert.Equal(0, strict.Known);
    }

    private static async Task<HttpResponseMessage> WatchAsync(Phone phone, string job, string? address = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (address is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", address);
        }
        return await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public sealed class Installation : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Live:StreamsPerAddress"] = "20" };
    }
}
