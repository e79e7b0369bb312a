using System.Buffers.Binary;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Reelbase.Tests.Features;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Storage;

/// <summary>What strangers bring, users and providers alike, goes through a virus scanner where there is one.</summary>
public sealed class FileScannerTests(FileScannerTests.Scanned system) : IClassFixture<FileScannerTests.Scanned>
{
    // The industry's harmless test file, in two pieces, so that no scanner of a build machine takes this source for it.
    private static readonly byte[] Eicar = Encoding.ASCII.GetBytes(@"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*");

    /// <summary>A product with a scanner that speaks clamd's protocol.</summary>
    public sealed class Scanned : TestSystem
    {
        private WebApplication _scanner = null!;

        /// <summary>Whether it hangs up on everybody.</summary>
        public bool IsAway { get; set; }

        /// <summary>Whether it finds something in every video.</summary>
        public bool DislikesVideos { get; set; }

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Storage:ScannerAddress"] = new Uri(AddressOf(_scanner)).Authority,
                ["Storage:ScannerTimeoutSeconds"] = "30",
                ["Generation:RetryCapSeconds"] = "1",
            };

        public override async ValueTask InitializeAsync()
        {
            var builder = WebApplication.CreateBuilder();
            builder.Logging.ClearProviders();
            // No HTTP: each connection is the scanner's own protocol.
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(RespondAsync)));
            _scanner = builder.Build();
            await _scanner.StartAsync();
            await base.InitializeAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _scanner.DisposeAsync();
        }

        private async Task RespondAsync(ConnectionContext connection)
        {
            if (IsAway)
            {
                return;
            }
            var stream = connection.Transport.Input.AsStream();
            var command = new byte[10];
            await stream.ReadExactlyAsync(command);
            Assert.Equal("zINSTREAM\0", Encoding.ASCII.GetString(command));
            using var content = new MemoryStream();
            var size = new byte[4];
            while (true)
            {
                await stream.ReadExactlyAsync(size);
                var length = BinaryPrimitives.ReadInt32BigEndian(size);
                if (length == 0)
                {
                    break;
                }
                var piece = new byte[length];
                await stream.ReadExactlyAsync(piece);
                content.Write(piece);
            }
            var bytes = content.ToArray();
            var isFound = bytes.AsSpan().IndexOf(Eicar) >= 0 || (DislikesVideos && bytes.AsSpan(4).StartsWith("ftyp"u8));
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(isFound ? "stream: Eicar-Signature FOUND\0" : "stream: OK\0"));
        }
    }

    [Fact]
    public async Task A_picture_that_the_scanner_knows_is_refused_and_nothing_of_it_is_kept()
    {
        var phone = await system.NewGuestAsync();
        byte[] infected = [.. Pictures.Jpeg(padding: 200_000), .. Eicar];
        var refused = await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/x.jpg", infected, "image/jpeg");
        UploadTests.AssertRefused(refused, 415, "infected");
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{phone.UserId}'"));
        var taken = await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/x.jpg", Pictures.Jpeg(padding: 200_000), "image/jpeg");
        Assert.True(taken.Status == HttpStatusCode.OK, taken.Text);
    }

    [Fact]
    public async Task While_it_is_away_nothing_is_kept_unseen_and_a_video_that_it_knows_is_refunded()
    {
        var phone = await system.NewGuestAsync(1000);
        var credits = await phone.CreditsAsync();
        system.IsAway = true;
        var refused = await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/x.jpg", Pictures.Jpeg(), "image/jpeg");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status);
        var waits = (await phone.GenerateAsync("Waits for the scanner"))["job_id"].GetString();
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{waits}'"), stage => stage == "fetching");
        system.IsAway = false;
        Assert.Equal("completed", (await phone.WatchAsync(waits!))[^1].GetProperty("status").GetString());
        var left = await phone.CreditsAsync();
        Assert.True(left < credits);

        system.DislikesVideos = true;
        try
        {
            var last = await phone.GenerateAndWatchAsync("Brings something along");
            Assert.Equal(("failed", "ERR_5002"), (last.GetProperty("status").GetString(), last.GetProperty("error_code").GetString()));
            Assert.Equal(left, await phone.CreditsAsync());
            var job = last.GetProperty("job_id").GetString();
            Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from storage_objects where job_id = '{job}' and state = 'stored'"));
            Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from alerts where kind = 'infected_video' and dedupe_key = '{job}'"));
        }
        finally
        {
            system.DislikesVideos = false;
        }
    }
}
