using System.ComponentModel.DataAnnotations;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>An address of a scanner that cannot be one is refused at start, and not found out with the first file.</summary>
[Quick]
public sealed class ScannerAddressTests
{
    [Theory]
    [InlineData("clamd:3310", true)]
    [InlineData("10.0.0.7:1", true)]
    [InlineData("clamd:65535", true)]
    [InlineData("clamd:65536", false)]
    [InlineData("clamd:99999", false)]
    [InlineData("clamd:0", false)]
    [InlineData("clamd", false)]
    [InlineData(":3310", false)]
    public void A_port_is_one_that_exists(string address, bool isOne)
    {
        var options = new StorageOptions { ScannerAddress = address };
        Assert.Equal(
            isOne,
            Validator.TryValidateProperty(address, new ValidationContext(options) { MemberName = nameof(StorageOptions.ScannerAddress) }, null)
        );
    }
}
